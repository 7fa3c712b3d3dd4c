"""Compile the guest programs of `guest/`, and C texts out of tests, once for each content.

C and C++ by the C library's compiler driver; Rust with glibc linked in; Go, which needs no C
library, is tested where glibc's programs are.

A binary is kept under `$EMUKERNEL_GUEST_CACHE`, else the user's cache directory, in a folder named
by the hash of all that went into it: source, the project's headers it includes, flags, compiler and
C library. Several test processes may build the same guest at once: each writes a file of its own
and renames it into place, and whichever is last wins with the same bytes.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

GUEST_DIR = Path(__file__).resolve().parent.parent / "guest"
LIBCS = ("musl", "glibc")

_DRIVERS = {
    ("glibc", ".c"): "gcc",
    ("glibc", ".cc"): "g++",
    ("musl", ".c"): "musl-gcc",
    ("glibc", ".rs"): "rustc",
    ("glibc", ".go"): "go",
}
_SUFFIXES = tuple(dict.fromkeys(suffix for _libc, suffix in _DRIVERS))
_C_FLAGS = ("-O2",)
_FLAGS = {
    "go": ("build", "-trimpath"),
    "rustc": ("-Copt-level=1", "-Ctarget-feature=+crt-static"),
}
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
_DIRECTIVE = re.compile(r"^// (build|args|stdin|env|libc|unequal): ?(.*)$", re.M)
_ESCAPE = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}
_COMPILE_SECONDS = 300  # Go's standard library, when it is built for the first time


class Directives(NamedTuple):
    """What the `// key: value` lines of a guest's source ask for (guest/README.md)."""

    build: tuple[str, ...] = ("-static",)
    args: tuple[str, ...] = ()
    stdin: bytes = b""
    env: dict[str, str] = {}  # noqa: RUF012  (never changed)
    libcs: tuple[str, ...] = LIBCS
    unequal: str = ""


def directives(source: Path) -> Directives:
    """The directives in a guest's source; raises ValueError for a libc that does not exist."""
    found: dict[str, str] = dict(_DIRECTIVE.findall(source.read_text(encoding="utf-8")))
    flags = shlex.split(found.get("build", ""))
    of_c = source.suffix in (".c", ".cc")
    if of_c and not any(flag.startswith("-static") for flag in flags):
        flags.insert(0, "-static")
    libcs = tuple(found["libc"].split()) if "libc" in found else LIBCS
    if not set(libcs) <= set(LIBCS):
        raise ValueError(f"{source}: libc: {found['libc']!r}, expected some of {LIBCS}")
    text = re.sub(r"\\[nt\\]", lambda match: _ESCAPE[match[0]], found.get("stdin", ""))
    return Directives(
        build=tuple(flags),
        args=tuple(shlex.split(found.get("args", ""))),
        stdin=text.encode(),
        env=dict(pair.split("=", 1) for pair in shlex.split(found.get("env", ""))),
        libcs=tuple(name for name in libcs if (name, source.suffix) in _DRIVERS),
        unequal=found.get("unequal", ""),
    )


def sources(folder: str) -> list[Path]:
    """Every guest program in `guest/FOLDER`, sorted by name."""
    return sorted(p for p in (GUEST_DIR / folder).iterdir() if p.suffix in _SUFFIXES)


def find(name: str) -> Path:
    """The source of a guest, by its name with or without its folder (`compare/brk`, `brk`)."""
    pattern = name if "/" in name else f"**/{name}"
    found = [p for suffix in _SUFFIXES for p in GUEST_DIR.glob(pattern + suffix)]
    if len(found) != 1:
        raise LookupError(f"guest {name!r}: {len(found)} sources match")
    return found[0]


def build(name: str, libc: str | None = None) -> Path:
    """The binary of a guest of `guest/`, compiled if need be; skips the test without a compiler."""
    source = find(name)
    wanted = directives(source)
    return _build(
        source.stem,
        source.suffix,
        source.read_bytes(),
        source.parent,
        wanted.build,
        libc or _first_libc(wanted.libcs, source.suffix),
    )


def build_source(
    text: str, *, libc: str | None = None, name: str = "guest", flags: Sequence[str] = ("-static",)
) -> Path:
    """The binary of a C program given as text; it may include the headers of `guest/seccomp`."""
    libc = libc or _first_libc(LIBCS, ".c")
    return _build(name, ".c", text.encode(), GUEST_DIR / "seccomp", tuple(flags), libc)


def _first_libc(libcs: Iterable[str], suffix: str) -> str:
    """musl where there is a choice: its binaries are small and start fast."""
    for libc in libcs:
        if _toolchain(_DRIVERS[libc, suffix]) is not None:
            return libc
    pytest.skip(f"no compiler for static {suffix} programs (gcc or musl-gcc)")


def _build(
    stem: str, suffix: str, source: bytes, folder: Path, flags: Sequence[str], libc: str
) -> Path:
    driver = _DRIVERS[libc, suffix]
    toolchain = _toolchain(driver)
    if toolchain is None:
        pytest.skip(f"{driver} is not installed, or can't link static programs")
    options = _FLAGS.get(driver, _C_FLAGS)
    digest = hashlib.sha256(repr((suffix, source, flags, options, toolchain)).encode())
    for header in _headers(source, folder):
        digest.update(header.read_bytes())
    binary = _cache_dir() / digest.hexdigest()[:24] / stem
    if binary.exists():
        return binary
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as scratch:
        copy = Path(scratch, stem + suffix)
        copy.write_bytes(source)
        made = Path(scratch, stem)
        include = [f"-I{folder}"] if options is _C_FLAGS else []
        done = subprocess.run(
            [driver, *options, *include, "-o", str(made), str(copy), *flags],
            capture_output=True,
            text=True,
            timeout=_COMPILE_SECONDS,
            check=False,
            env=os.environ | {"CGO_ENABLED": "0"},
        )
        if done.returncode != 0:
            raise RuntimeError(f"{stem}{suffix} does not compile with {driver}:\n{done.stderr}")
        os.replace(made, binary)
    return binary


def _headers(source: bytes, folder: Path) -> list[Path]:
    """The project's own headers that a source includes, through one another, each once."""
    seen: dict[Path, None] = {}
    pending = [(source, folder)]
    while pending:
        text, where = pending.pop()
        for name in _INCLUDE.findall(text):
            header = (where / name.decode()).resolve()
            if header not in seen and header.is_file():
                seen[header] = None
                pending.append((header.read_bytes(), header.parent))
    return list(seen)


@functools.cache
def _toolchain(driver: str) -> tuple[object, ...] | None:
    """What tells one compiler and C library from another; None where static linking can't work."""
    if shutil.which(driver) is None:
        return None
    libraries = ["libc.a"] if driver in ("gcc", "g++") else []
    libraries += ["libstdc++.a"] if driver == "g++" else []
    stamps: list[object] = [driver, _output([driver, "version" if driver == "go" else "--version"])]
    for library in libraries:
        path = Path(_output([driver, f"-print-file-name={library}"]).strip())
        if not path.is_absolute():  # the driver echoes the name of a file it can't find
            return None
        stamps.append((path.stat().st_size, path.stat().st_mtime_ns))
    return tuple(stamps)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def _cache_dir() -> Path:
    given = os.environ.get("EMUKERNEL_GUEST_CACHE")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "emukernel-guests"
