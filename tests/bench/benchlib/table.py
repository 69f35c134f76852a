"""Figures as Markdown tables that are readable as they are."""
from __future__ import annotations

from collections.abc import Sequence


def cell(value: float, digits: int, base: float | None) -> str:
    """With the ratio to `base` in brackets."""
    return f"{value:,.{digits}f}" + (f" ({value / base:.2f})" if base else "")


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, figures to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        first, *others = (text.ljust(width) if not i else text.rjust(width)
                          for i, (text, width) in enumerate(zip(row, widths)))
        return "| " + " | ".join([first, *others]) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), line(rule), *map(line, rows)])
