"""What each column of a table that nobody described is taken for, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Literal

from models_py.studies.column_facts import ColumnFacts, Relation
from models_py.studies.column_names import (
    DATE_PARTS,
    PHONES,
    is_outcome,
    numbered,
    part_of_date,
    words_of_name,
)
from models_py.studies.sentinels import Sentinel, find_sentinels

MOST_CATEGORIES = 50
MOST_PARTS = 12
"""Values of a part of a date that are categories; more are an order that categories lose."""
LEAST_KNOWN = 0.4
A_CODE = "a code"
NEARLY_UNIQUE = 0.9
LEAKING = 0.98
FEW_ROWS = 20
MOST_GAPS = 2.0
LONG_ID, SHORT_ID = 8, 7
"""Digits of numbers that are ids by their length, and of those that must lie close as well."""
NARROW = 1.5
ENDS_OF_IDS = [["no"], ["nr"], ["number"], ["num"], ["code"], ["ref"], ["reference"], ["account"],
               ["konto"], ["kontonummer"], ["iban"], ["barcode"], ["ean"]]  # fmt: skip

Role = Literal["number", "category", "truth", "left out"]


@dataclass(frozen=True)
class Guess:
    """What a column is taken for.

    Attributes
    ----------
    name
        The column.
    role
        How it goes into the study.
    reason
        What it looks like, or why it is left out.
    missing
        Values that stand for none.
    """

    name: str
    role: Role
    reason: str
    missing: tuple[Sentinel, ...] = ()

    @property
    def is_code(self) -> bool:
        """Whether it is a category written as numbers."""
        return self.role == "category" and self.reason.startswith(A_CODE)


@dataclass(frozen=True)
class _Table:
    """What is asked of all columns at once."""

    label: str | None
    majority: float | None
    outcomes: frozenset[str]
    foretelling: Mapping[str, tuple[str, float]]
    parts: Mapping[str, str]
    days: Mapping[str, str]
    codes: Mapping[str, frozenset[float]]


def guess_roles(
    columns: Sequence[ColumnFacts],
    label: str | None = None,
    codes: Mapping[str, frozenset[float]] | None = None,
) -> list[Guess]:
    """Guess what each column is.

    Parameters
    ----------
    columns
        Facts of each column but the entity's.
    label
        Column with known groups, if the user named one.
    codes
        Column to the values that stand for none in it: of days before the last date, those of
        1900-01-01 and its like.
    """
    majority = next((column.top_share for column in columns if column.name == label), None)
    outcomes = {c.name for c in columns if is_outcome(c.name, c.distinct)} | {label or ""}
    names = {column.name for column in columns}
    table = _Table(
        label=label,
        majority=majority,
        outcomes=frozenset(outcomes),
        foretelling={
            relation.name: (column.name, relation.share)
            for column in columns
            if column.name in outcomes and column.name != label
            for relation in column.relations
        },
        parts=_parts_of_dates(columns),
        days={name: f"{name}_days" for name in names if f"{name}_days" in names},
        codes=codes or {},
    )
    guesses: list[Guess] = []
    for column in columns:
        used = {guess.name for guess in guesses if guess.role != "left out"}
        guesses.append(_guess(column, table, used))
    return guesses


def _guess(column: ColumnFacts, table: _Table, used: set[str]) -> Guess:
    sentinels = find_sentinels(column, table.codes.get(column.name, frozenset()))
    reason = _why_left_out(column, table, sentinels) or _why_said_already(column, table, used)
    if reason:
        return Guess(column.name, "left out", reason)
    missing = _missing_share(column, sentinels)
    nulls = f", {_percent(missing)} missing" if missing else ""
    if column.type == "BOOLEAN":
        return Guess(column.name, "truth", f"true or false{nulls}")
    if column.is_number and not _is_code(column):
        is_few = 2 < column.distinct <= min(6, column.rows // 5) and column.is_whole
        few = f", {column.distinct} values: a code?" if is_few else ""
        low, high = _ends(column, sentinels)
        stands = "".join(f", {_plain(sentinel.value)} for none" for sentinel in sentinels)
        reason = f"number from {low} to {high}{nulls}{stands}{few}"
        return Guess(column.name, "number", reason, sentinels)
    shown = ", ".join(_short(value) for value in column.values[:4])
    more = ", ..." if column.distinct > 4 else ""
    what = A_CODE if column.is_number else "category"
    return Guess(
        column.name, "category", f"{what} of {column.distinct} values ({shown}{more}){nulls}"
    )


def _why_left_out(column: ColumnFacts, table: _Table, sentinels: Sequence[Sentinel]) -> str:
    missing = _missing_share(column, sentinels)
    is_readable = column.is_number or column.type in {"VARCHAR", "BOOLEAN"} or column.is_enum
    counted = f"{column.distinct:,} values on {column.known:,} rows"
    tried = (
        (column.name == table.label, "label: compared with the segments, not used to find them"),
        (column.known == 0, "every value is null"),
        (_is_constant(column), _constant(column)),
        (missing > 1 - LEAST_KNOWN, f"{_percent(missing)} missing{_standing(sentinels)}"),
        (column.same_as_id == column.rows, "identifier: a copy of the id"),
        (column.name in table.days, f"date: taken in as {table.days.get(column.name)}"),
        (_is_time(column), "date or time: days since then would be a feature"),
        (_is_phone(column), "a phone number: it tells rows apart, not customers"),
        (_is_identifier(column), f"identifier: {counted}"),
        (
            _leaks(column, table.majority),
            f"leak: it tells the label of {_percent(column.label_share or 0)} of the rows",
        ),
        (
            is_outcome(column.name, column.distinct),
            f"an outcome by its name: compare the segments with it by --label {quote(column.name)},"
            " else take it in",
        ),
        (not is_readable, f"type {column.type}: make numbers or text of it"),
        (column.name in table.parts, table.parts.get(column.name, "")),
        (
            _is_code(column) and not _is_narrow(column),
            f"a code: {counted} are too many for a category: group them",
        ),
        (
            not column.is_number and column.distinct > MOST_CATEGORIES,
            f"text of {column.distinct:,} values: group them, or take it for an identifier",
        ),
    )
    return next((reason for is_so, reason in tried if is_so), "")


def _why_said_already(column: ColumnFacts, table: _Table, used: set[str]) -> str:
    # Outcomes first: what is known with them only is no copy of a feature.
    if column.name in table.foretelling:
        outcome, share = table.foretelling[column.name]
        return (
            f"foretells the outcome {outcome} in {_percent(share)} of the rows: known only once"
            " that is?"
        )
    for relation in column.relations:
        if relation.name in table.outcomes and relation.name != table.label:
            return (
                f"goes with the outcome {relation.name} ({_percent(relation.share)} of the rows):"
                " known only once that is?"
            )
    for relation in column.relations:
        if relation.kind == "copy" and relation.name in used:
            return f"nearly a copy of {relation.name} ({_agreement(relation, column)})"
        if relation.kind == "follows" and relation.name not in table.outcomes:
            return (
                f"follows from {relation.name} in {_percent(relation.share)} of the rows: made of"
                f" it, or an outcome (--label {quote(column.name)})?"
            )
    return ""


def _agreement(relation: Relation, column: ColumnFacts) -> str:
    share = _percent(relation.share)
    return f"correlation {relation.share:.4f}" if column.is_number else f"{share} of the rows"


def _parts_of_dates(columns: Sequence[ColumnFacts]) -> dict[str, str]:
    """Return why each part of a date is left out, by the column."""
    names = {column.name.lower(): column.name for column in columns}
    tried = {column.name: _date_part(column) for column in columns}
    parts = {name: part for name, part in tried.items() if part is not None}
    by_stem: dict[str, list[str]] = {}
    for name, (stem, _) in parts.items():
        by_stem.setdefault(stem, []).append(name)
    reasons = {}
    for column in columns:
        if column.name not in parts:
            continue
        stem, unit = parts[column.name]
        date = names.get(f"{stem}_days") or next(
            (names[n] for n in (stem, f"{stem}_date", f"{stem}_at", f"{stem}_on") if n in names),
            None,
        )
        others = [name for name in by_stem[stem] if name != column.name]
        if stem and date:
            reasons[column.name] = f"part of the date in {date}"
        elif others and unit not in {"year", "jahr", "annee"}:
            reasons[column.name] = f"part of one date with {', '.join(others)}: one date says more"
        elif unit in {"day", "tag", "dayofmonth", "dayofyear", "minute"}:
            reasons[column.name] = f"{unit} of a date: says little of a customer"
        elif column.distinct > MOST_PARTS:
            reasons[column.name] = (
                f"{unit} of a date, {column.distinct} values: days since then would be a feature"
            )
    return reasons


def _date_part(column: ColumnFacts) -> tuple[str, str] | None:
    part = part_of_date(column.name)
    if part is None or not column.is_whole or not column.low:
        return None
    least, most = DATE_PARTS[part[1]]
    is_possible = least <= column.low[0][0] and column.high[0][0] <= most
    return part if is_possible else None


def _is_code(column: ColumnFacts) -> bool:
    if not column.is_whole or (column.distinct <= 2 and set(column.values) <= {"0", "1"}):
        return False
    if numbered(column.name) is not None:
        return True
    return _date_part(column) is not None and column.distinct <= MOST_PARTS


def _is_narrow(column: ColumnFacts) -> bool:
    # Categories that hold a row or two each tell rows apart, not customers.
    is_repeated = column.rows < FEW_ROWS or column.distinct <= column.known / 2
    return column.distinct <= MOST_CATEGORIES and is_repeated


def _is_phone(column: ColumnFacts) -> bool:
    return column.distinct > 2 and numbered(column.name) in PHONES and not column.is_enum


def _is_constant(column: ColumnFacts) -> bool:
    if column.distinct == 1:
        return True
    if not column.is_number or not column.low:
        return False
    low, high = column.low[0][0], column.high[0][0]
    return high - low <= 1e-12 * max(abs(low), abs(high))


def _constant(column: ColumnFacts) -> str:
    said = f"constant: {_short(column.lowest)}"
    if column.known == column.rows:
        return said
    gaps = column.rows - column.known
    return f"{said} on {column.known:,} rows, nothing on {gaps:,}: write yes and no if it marks"


def _leaks(column: ColumnFacts, majority: float | None) -> bool:
    share = column.label_share
    few_enough = column.distinct <= max(column.rows // 5, 2) or column.is_number
    return (
        share is not None
        and majority is not None
        and majority < LEAKING
        and share >= LEAKING
        and few_enough
    )


def _is_identifier(column: ColumnFacts) -> bool:
    if column.rows < FEW_ROWS:
        return False
    if column.type == "UUID":
        return True
    if column.is_whole:
        return _is_named_as_id(column) or (
            column.distinct == column.known and _is_numbering(column)
        )
    return column.type == "VARCHAR" and column.distinct >= NEARLY_UNIQUE * column.known


def _is_named_as_id(column: ColumnFacts) -> bool:
    words = words_of_name(column.name)
    named = bool(set(words) & {"id", "uuid", "guid", "key"}) or words[-1:] in ENDS_OF_IDS
    return named and column.distinct > column.known / 2


def _is_numbering(column: ColumnFacts) -> bool:
    """Whether whole numbers, each on one row, number something.

    Amounts of a small table are all different too; numbers follow one another, or are long and of
    one length.
    """
    if not column.low:
        return False
    low, high = column.low[0][0], column.high[0][0]
    if high - low < MOST_GAPS * column.known:
        return True
    digits = len(f"{low:.0f}")
    is_even = low > 0 and digits == len(f"{high:.0f}")
    return is_even and (digits >= LONG_ID or (digits >= SHORT_ID and high < NARROW * low))


def _is_time(column: ColumnFacts) -> bool:
    if column.type.startswith(("DATE", "TIME", "INTERVAL")):
        return True
    return column.type == "VARCHAR" and column.times >= 0.95 * column.known


def _missing_share(column: ColumnFacts, sentinels: Sequence[Sentinel]) -> float:
    return 1.0 - (column.known - sum(sentinel.rows for sentinel in sentinels)) / column.rows


def _standing(sentinels: Sequence[Sentinel]) -> str:
    if not sentinels:
        return ""
    return f", with {' and '.join(_plain(first.value) for first in sentinels)} for none"


def _ends(column: ColumnFacts, sentinels: Sequence[Sentinel]) -> tuple[str, str]:
    gone = {sentinel.value for sentinel in sentinels}
    low = next((value for value, _ in column.low if value not in gone), None)
    high = next((value for value, _ in column.high if value not in gone), None)
    if low is None or high is None:
        return _short(column.lowest), _short(column.highest)
    return _plain(low), _plain(high)


def _plain(value: float) -> str:
    """Return a number as a person writes it: three digits that count, no exponent."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _percent(share: float) -> str:
    if share < 0.001:
        return "under 0.1%"
    return f"{share:.0%}" if share in (0.0, 1.0) or 0.1 <= share < 0.99 else f"{share:.1%}"


def _short(value: str | None) -> str:
    text = " ".join((value or "").split())
    return text if len(text) <= 24 else text[:21] + "..."
