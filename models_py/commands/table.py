"""Tables on a terminal."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence


def print_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Container[int] = (),
    *,
    is_ruled: bool = False,
) -> None:
    """Print rows in columns as wide as their widest cell.

    Parameters
    ----------
    head
        Names of the columns.
    rows
        A text for each column.
    right
        Places of the columns that are aligned to the right: figures.
    is_ruled
        Draw a line under the head.
    """
    from rich.cells import cell_len

    body = list(rows)
    # A terminal gives some letters two places, others none.
    widths = [max(map(cell_len, column)) for column in zip(head, *body, strict=True)]
    rule = [["-" * width for width in widths]] if is_ruled else []
    for row in (head, *rule, *body):
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - cell_len(cell))
            cells.append(gap + cell if place in right else cell + gap)
        print("  ".join(cells).rstrip())
