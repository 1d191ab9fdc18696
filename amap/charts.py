"""Figures → the percentages the chart components draw (templates/ui/bars, columns, stack). No drawing here.

Percentages are strings with a point whatever the language, because they go into SVG attributes.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from amap.dates import short_day

TONES = 6


def bars(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add `percent` (of the highest figure) to rows of `label`, `value`, `text`; also `second`, if there is a `target`.

    `value` and `target` may have any unit as long as it is the same; negative ones draw nothing.
    """
    rows = list(rows)
    top = max((figure for row in rows for figure in (row["value"], row.get("target") or 0)), default=0)
    return [
        row
        | {"percent": _percent(row["value"], top)}
        | ({"second": _percent(row["target"], top)} if row.get("target") else {})
        for row in rows
    ]


def months(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """`bars` of rows with a `month`: `label` is `sept. 2026`, `short` is `sept`, with the year where one begins."""
    named, year = [], None
    for row in rows:
        month = row["month"]
        short = short_day(month, "M").rstrip(".")
        names = {"label": short_day(month, "M Y"), "short": short if month.year == year else f"{short} {month.year}"}
        named.append(row | names)
        year = month.year
    return bars(named)


def stack(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add `start`, `percent` (of the sum) and `tone` (1 to 6) to rows of `label`, `value`, `text`."""
    total = sum(max(row["value"], 0) for row in rows)
    drawn, before = [], 0
    for index, row in enumerate(rows):
        place = {"start": _percent(before, total), "percent": _percent(row["value"], total), "tone": index % TONES + 1}
        drawn.append(row | place)
        before += max(row["value"], 0)
    return drawn


def _percent(part: int, whole: int) -> str:
    return f"{max(part, 0) * 100 / whole:.2f}" if whole > 0 else "0"
