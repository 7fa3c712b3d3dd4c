"""HTML and SVG that can't be broken by what is in them: text is escaped unless it is `Markup`."""

from __future__ import annotations

from html import escape

from emukernel.ftrace.diagnose import printable

_VOID = frozenset(("meta", "input", "br"))


class Markup(str):
    """Text that is markup; made by `tag` and `join`."""

    __slots__ = ()


Content = str | int | None


def tag(name: str, /, *children: Content, **attributes: str | int | float | None) -> Markup:
    """An element. None is nothing; a trailing `_` of an attribute's name goes, other `_` are `-`.

    Control characters of texts are shown as escapes: a page shall not hide or reorder anything.
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is not None:
            key = key.rstrip("_").replace("_", "-")
            parts.append(f' {key}="{escape(_clean(str(value)))}"')
    parts.append(">")
    if name not in _VOID:
        parts.append(join(*children))
        parts.append(f"</{name}>")
    return Markup("".join(parts))


def join(*children: Content) -> Markup:
    """Children one after the other."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, Markup):
            parts.append(child)
        elif child is not None:
            parts.append(escape(_clean(str(child))))
    return Markup("".join(parts))


def _clean(text: str) -> str:
    if text.isprintable():
        return text
    lines = text.replace("\t", "    ").split("\n")
    return "\n".join(line if line.isprintable() else printable(line) for line in lines)
