"""Near misses for mistyped words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def near_miss(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)`, or nothing when no known word is close."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
