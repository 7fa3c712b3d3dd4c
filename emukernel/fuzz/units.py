"""Times and counts as people read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """`2 d 03:04:05`, without days where there are none."""
    whole = int(seconds)
    days, whole = divmod(whole, 86400)
    text = f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{days} d {text}" if days else text


def short(value: float) -> str:
    """Three digits: `12.5k`, `3M`."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"
