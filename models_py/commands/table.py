"""Tables on a terminal."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence


NARROWEST = 12
"""Signs under which no column of words is wrapped."""

MOST_LINES = 6
"""Lines that a cell may be wrapped to; longer ones are read down a column of single words."""

GAP = "  "


def print_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Container[int] = (),
    *,
    is_ruled: bool = False,
    width: int | None = None,
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
    width
        Of a line: columns of words are wrapped to it. Where there are too many columns or too
        long texts for that, each row stands below the other as lines of a column and its value.
    """
    body = list(rows)
    widths = _widths(head, body)
    if width is not None:
        fitting = _fitted(widths, right, width)
        if fitting is None:
            _print_rows_as_lines(head, body, width)
            return
        widths = fitting
    rule = [["-" * width for width in widths]] if is_ruled else []
    for row in (head, *rule, *body):
        _print_row(row, widths, right)


def _widths(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    # A terminal gives some letters two places, others none.
    return [max(map(cell_len, column)) for column in zip(head, *body, strict=True)]


def _fitted(widths: Sequence[int], right: Container[int], width: int) -> list[int] | None:
    """Return widths that fit a line, the widest columns of words made narrower.

    None where there are none, or a cell would take too many lines.
    """
    fitted = list(widths)
    while (over := sum(fitted) + len(GAP) * (len(fitted) - 1) - width) > 0:
        words = [place for place in range(len(fitted)) if place not in right]
        words = [place for place in words if fitted[place] > NARROWEST]
        if not words:
            return None
        widest = max(words, key=lambda place: fitted[place])
        others = [fitted[place] for place in words if fitted[place] < fitted[widest]]
        step = fitted[widest] - max([NARROWEST, *others])
        alike = [place for place in words if fitted[place] == fitted[widest]]
        share = max(1, min(step, -(-over // len(alike))))
        for place in alike:
            fitted[place] -= share
    is_readable = all(full <= MOST_LINES * own for full, own in zip(widths, fitted, strict=True))
    return fitted if is_readable else None


def _print_row(row: Sequence[str], widths: Sequence[int], right: Container[int]) -> None:
    from rich.cells import cell_len

    wrapped = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    for line in range(max(map(len, wrapped))):
        cells = []
        for place, (parts, width) in enumerate(zip(wrapped, widths, strict=True)):
            part = parts[line] if line < len(parts) else ""
            gap = " " * (width - cell_len(part))
            cells.append(gap + part if place in right else part + gap)
        print(GAP.join(cells).rstrip())


def _wrapped(cell: str, width: int) -> list[str]:
    from rich.cells import cell_len, chop_cells

    if cell_len(cell) <= width:
        return [cell]
    lines = [""]
    for word in cell.split(" "):
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
            continue
        parts = chop_cells(word, width) or [""]
        lines = [*lines, *parts] if lines[-1] else [*lines[:-1], *parts]
    return lines


def _print_rows_as_lines(head: Sequence[str], body: Sequence[Sequence[str]], width: int) -> None:
    from rich.cells import cell_len

    first = min(max(map(cell_len, head), default=0), max(NARROWEST, width // 2))
    for number, row in enumerate(body, start=1):
        print(f"{chr(10) if number > 1 else ''}row {number}")
        for column, cell in zip(head, row, strict=True):
            _print_row([column, cell], [first, max(NARROWEST, width - first - len(GAP))], ())
