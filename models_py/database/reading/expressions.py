"""SQL that turns text into typed values, as the record of a reading says.

A value that does not fit the record is null; whoever counts losses finds it there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from models_py.base.sql_text import literal
from models_py.sources.reading.dates import MONTHS, ZONES, date_pattern
from models_py.sources.reading.numbers import UNITS, core_pattern
from models_py.sources.reading.record import ColumnReading
from models_py.sources.reading.shapes import MADE_PLAIN, MADE_SHAPE

PLAIN_NUMBER = r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?\s*"
ISO_TIME = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?"
PARTED_DATE = r"^\D*(\d{1,4}) ?[-/.,] ?(\d{1,2}) ?[-/.,] ?(\d{1,4})"


SPACES = " \t\n\r\f\v"
"""What a pattern takes for blanks."""


def shape_sql(column: str) -> str:
    """Return the shape of a column's values, as :func:`shape_of` makes it."""
    plain = f"translate({column}, {literal(MADE_SHAPE[0])}, {literal(MADE_SHAPE[1])})"
    return f"lower(trim({plain}))"


def plain_sql(column: str) -> str:
    """Return a value in small letters, trimmed, with blanks and signs made plain."""
    return f"lower(trim(translate({column}, {literal(MADE_PLAIN[0])}, {literal(MADE_PLAIN[1])})))"


def begins_with_sql(column: str, letters: str) -> str:
    """Return whether a value begins with one of some characters: quick where a pattern is not."""
    return f"ascii({column}) in ({', '.join(str(ord(letter)) for letter in letters)})"


def is_loose_sql(column: str) -> str:
    """Return whether a value is empty, or may have blanks around it."""
    return (
        f"case when {column} < '!' or ends_with({column}, ' ') then true"
        f" when strlen({column}) <> length({column}) then trim({column}) <> {column}"
        " else false end"
    )


def missing_word_sql(column: str, words: Collection[str]) -> str:
    """Return whether a value is one of some words in small letters, however it is written.

    Its first letter and its length in bytes, which are quick to see, spare most values the pattern.
    """
    pattern = rf"(?i)\s*({'|'.join(re.escape(word) for word in sorted(words))})\s*"
    letters = "".join(sorted({*SPACES, *(form for w in words for form in (w[0], w[0].upper()))}))
    longest = max(len(word.encode()) for word in words) + 4
    return (
        f"case when {begins_with_sql(column, letters)} and strlen({column}) <= {longest}"
        f" then regexp_full_match({column}, {literal(pattern)}) else false end"
    )


def is_known_sql(column: str, missing: list[str]) -> str:
    """Return whether a value is neither empty nor a word for no value."""
    words = ", ".join(literal(word) for word in ["", *missing])
    return f"({column} is not null and trim({column}) not in ({words}))"


def typed_sql(column: str, reading: ColumnReading, zone: str, kind: str = "VARCHAR") -> str:
    """Return the typed value of a staged column.

    Parameters
    ----------
    column, reading
        The column, and what it is.
    zone
        Of the shop.
    kind
        DuckDB's type of the column; what has one keeps it, unless it is an id.
    """
    if kind != "VARCHAR" and reading.type in {"id", "text"}:
        return _text(f"cast({column} as varchar)", reading)
    if kind != "VARCHAR" or reading.type == "as_is":
        return column
    if reading.type in {"id", "text"}:
        return _text(column, reading)
    if reading.type == "truth":
        return _truth(column, reading)
    if reading.type == "number":
        return number_sql(column, reading)
    time = time_sql(column, reading, zone)
    return f"cast({time} as date)" if reading.type == "date" else time


def _text(column: str, reading: ColumnReading) -> str:
    words = ", ".join(literal(word) for word in ["", *reading.missing])
    text = f"case when trim({column}) not in ({words}) then trim({column}) end"
    if reading.strip_point_zero:
        return rf"regexp_replace({text}, '^(\d+)\.0+$', '\1')"
    return text


def tight_sql(column: str, missing: Sequence[str]) -> str:
    """Return the text of a column whose values have no blanks around them."""
    if not missing:
        return column
    return f"case when {column} not in ({', '.join(map(literal, missing))}) then {column} end"


def _truth(column: str, reading: ColumnReading) -> str:
    yes = ", ".join(literal(word) for word in reading.true) or "null"
    no = ", ".join(literal(word) for word in reading.false) or "null"
    word = f"trim({column})"
    return f"case when {word} in ({yes}) then true when {word} in ({no}) then false end"


def number_sql(column: str, reading: ColumnReading) -> str:
    """Return a column's number as a double."""
    general = _general_number(column, reading)
    is_other = reading.decimal != "." or reading.thousands or reading.unit
    if is_other:
        return general
    return (
        f"case when regexp_full_match({column}, {literal(PLAIN_NUMBER)})"
        f" then try_cast(trim({column}) as double) else {general} end"
    )


def _general_number(column: str, reading: ColumnReading) -> str:
    plain = plain_sql(column)
    same = [sign for sign, unit in UNITS.items() if unit == UNITS.get(reading.unit, reading.unit)]
    signs = sorted({*same, *([reading.unit] if reading.unit else [])}, key=len, reverse=True)
    unit = "(?:" + "|".join(re.escape(sign) for sign in signs) + ")?" if signs else ""
    core = core_pattern(reading.decimal, reading.thousands)
    pattern = rf"^(?:\( ?)?(?:[-+] ?)?{unit} ?(?:[-+] ?)?({core}) ?{unit}(?: ?-)?(?: ?\))?$"
    body = f"regexp_extract({plain}, {literal(pattern)}, 1)"
    if reading.thousands:
        body = f"replace({body}, {literal(reading.thousands)}, '')"
    if reading.decimal != ".":
        body = f"replace({body}, {literal(reading.decimal)}, '.')"
    below = rf"regexp_matches({plain}, '^\(.*\)$|^[^0-9.,]*-|-$')"
    return f"try_cast({body} as double) * case when {below} then -1 else 1 end"


def time_sql(column: str, reading: ColumnReading, zone: str) -> str:
    """Return a column's moment as a timestamp, on the wall clock of the shop's zone."""
    plain = plain_sql(column)
    is_number = rf"regexp_full_match({plain}, '[-+]?\d{{1,15}}(\.\d+)?')"
    number = f"case when {is_number} then try_cast({plain} as double) end"
    if reading.format == "spreadsheet_days":
        micros = f"try_cast(round(({number}) * 86400) as bigint) * 1000000"
        return f"timestamp '1899-12-30' + to_microseconds({micros})"
    if reading.format in {"epoch_seconds", "epoch_milliseconds"}:
        scale = 1_000_000 if reading.format == "epoch_seconds" else 1_000
        return in_zone(f"make_timestamp(try_cast(({number}) * {scale} as bigint))", zone)
    general = _parted_time(column, reading, zone)
    if reading.format != "ymd":
        return general
    return (
        f"case when regexp_full_match({column}, {literal(ISO_TIME)})"
        f" then try_cast({column} as timestamp) else {general} end"
    )


def in_zone(moment: str, zone: str) -> str:
    """Return a moment of UTC on the wall clock of a zone."""
    if zone == "UTC":
        return moment
    return f"timezone({literal(zone)}, timezone('UTC', {moment}))"


def _parted_time(column: str, reading: ColumnReading, zone: str) -> str:
    pattern = date_pattern(reading.format or "ymd")
    names = re.findall(r"\(\?P<(\w+)>", pattern)
    bare = re.sub(r"\(\?P<\w+>", "(", pattern)
    text = f"strip_accents({plain_sql(column)})"
    if reading.format == "yyyymmdd":
        text = rf"regexp_replace({text}, '\.0+$', '')"
    listed = ", ".join(literal(name) for name in names)
    parts = f"regexp_extract({text}, {literal(f'^{bare}$')}, [{listed}])"
    # The parts are taken once and used many times.
    return f"list_transform([{parts}], lambda parts: {_time_of_parts(names, reading, zone)})[1]"


def _time_of_parts(names: list[str], reading: ColumnReading, zone: str) -> str:
    def part(name: str) -> str:
        return f"parts.{name}" if name in names else "''"

    century = reading.century if reading.century is not None else 68
    short = f"try_cast({part('y')} as integer)"
    year = (
        f"case when length({part('y')}) = 4 then {short}"
        f" when {short} <= {century} then 2000 + {short} else 1900 + {short} end"
    )
    months = ", ".join(f"{literal(name)}: {number}" for name, number in MONTHS.items())
    month = f"coalesce(try_cast({part('m')} as integer), map {{{months}}}[{part('n')}])"
    hour = f"coalesce(try_cast({part('h')} as integer), 0)"
    hour = (
        f"case when {part('ap')} = '' then {hour} when {hour} not between 1 and 12 then null"
        f" else {hour} % 12 + case when {part('ap')} = 'p' then 12 else 0 end end"
    )
    clock = (
        f"lpad(cast({hour} as varchar), 2, '0') || ':' || coalesce(nullif({part('mi')}, ''), '00')"
        f" || ':' || coalesce(nullif({part('s')}, ''), '00')"
        f" || '.' || coalesce(nullif({part('f')}, ''), '0')"
    )
    day_of_month = f"lpad({part('d')}, 2, '0')" if "d" in names else "'01'"
    day = (
        f"cast({year} as varchar) || '-' || lpad(cast({month} as varchar), 2, '0')"
        f" || '-' || {day_of_month}"
    )
    local = f"try_cast({day} || ' ' || {clock} as timestamp)"
    if "z" not in names:
        return local
    letters = ", ".join(f"{literal(name)}: {minutes}" for name, minutes in ZONES.items())
    digits = f"replace(substr({part('z')}, 2), ':', '')"
    minutes = (
        f"case when {part('z')} similar to '[-+].*' then"
        f" (try_cast(substr({digits}, 1, 2) as integer) * 60"
        f" + coalesce(try_cast(substr({digits}, 3, 2) as integer), 0))"
        f" * case when {part('z')} like '-%' then -1 else 1 end"
        f" else map {{{letters}}}[{part('z')}] end"
    )
    moment = in_zone(f"({local} - to_minutes({minutes}))", zone)
    return f"case when {part('z')} = '' then {local} else {moment} end"
