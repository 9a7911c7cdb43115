"""What each column of a staged file is taken for, decided on all its values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from models_py.database.reading.expressions import (
    ISO_TIME,
    PARTED_DATE,
    PLAIN_NUMBER,
    is_loose_sql,
    missing_word_sql,
    number_sql,
    plain_sql,
    shape_sql,
)
from models_py.database.reading.order_cells import OrderCells
from models_py.database.reading.staging import Staged
from models_py.base.sql_text import literal
from models_py.base.errors import DataError
from models_py.sources.reading.dates import (
    DateFormat,
    PartRanges,
    date_shape,
    decide_dates,
    is_named_as_date,
    numbers_as_dates,
)
from models_py.sources.reading.numbers import STRAY_SHARE, NumberFormat, decide_number, number_shape
from models_py.sources.reading.record import ColumnReading
from models_py.sources.reading.shapes import Shape, quoted_example, shape_of
from models_py.sources.reading.words import (
    MISSING,
    MISSING_IN_IDS,
    MISSING_IN_TEXT,
    UNREAD,
    truth_words,
)

SAMPLE_ROWS = 4_000
UNREAD_SAMPLE = 500
MOST_SHAPES = 20_000
MOST_DIGITS = 15
"""A longer whole number would lose digits as a number: it is text."""
FRACTION = re.compile(r"\s*[-+]?\d*\.(?=\d*[1-9])(\d{1,2}|\d{4,})\s*")
"""Decimals, and not three of them, which could be thousands everywhere."""
WHOLE = r"\s*[-+]?(0|[1-9]\d{0,14})\s*"
"""A whole number; one that begins with 0, or has more digits, is a code."""
ROUNDED_ID = r"\d([.,]\d+)?[eE]\+\d{1,3}"


MISSING_SHAPES = frozenset(shape_of(word) for word in MISSING)
DIGITS_OF_MOMENTS = {8, 12, 14}
"""Of a day, and of one with the minute or the second behind it."""


@dataclass(frozen=True)
class ReadingOptions:
    """What the user says of a file.

    Attributes
    ----------
    ids, times, numbers, text
        Columns that are ids, moments, numbers or words.
    decimal
        Decimal sign of numbers that could be read in two ways.
    date_order
        Order of dates that could be read in two ways.
    time_zone
        Of the shop.
    encoding
        Of the file.
    sheet
        Of a workbook.
    order_cells
        Columns of a log that may be given once an order.
    """

    ids: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    decimal: str | None = None
    date_order: str | None = None
    time_zone: str = "UTC"
    encoding: str | None = None
    sheet: str = ""
    order_cells: OrderCells = field(default_factory=OrderCells)


@dataclass
class Column:
    """A column while it is decided.

    Attributes
    ----------
    name, staged
        In the file and in the staged table.
    known, is_whole, is_broken
        Values that are there, as far as counted; whether each is proved a whole number, or each a
        number and one of them not whole.
    is_iso
        Whether each value is proved to be written as an ISO date or time without an offset.
    is_tight
        Whether each value is proved to be neither empty nor to have blanks around it.
    shapes, missing
        Of its values; words among them that stand for no value, in all their spellings.
    reading
        The decision.
    strays
        Values that do not fit it, with the first of them.
    note
        What is worth saying.
    """

    name: str
    staged: str
    sample: list[str] = field(default_factory=list)
    known: int = 0
    is_whole: bool = False
    is_broken: bool = False
    is_iso: bool = False
    is_tight: bool = False
    shapes: list[Shape] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    numbers: NumberFormat | None = None
    dates: DateFormat | None = None
    reading: ColumnReading = field(default_factory=lambda: ColumnReading(type="text"))
    strays: int = 0
    stray: Shape | None = None
    missing_count: int = 0
    note: str = ""


def decide_columns(staged: Staged, options: ReadingOptions) -> list[Column]:
    """Decide the type and format of every column of a staged file.

    Raises
    ------
    DataError
        Values can be read in two ways, or are written in two; the message says where, and how to
        say what they are.
    """
    columns = [Column(name, f"c{place}") for place, name in enumerate(staged.names)]
    texts = []
    for column, kind in zip(columns, staged.types, strict=True):
        if kind == "VARCHAR" or column.name in options.ids:
            texts.append(column)
        else:
            column.reading = _native(kind)
    _take_samples(staged, texts)
    simple = _verified(staged, texts, options)
    for column in texts:
        if column.name in options.ids:
            _decide_id(staged, column)
        elif column.name in options.text:
            column.reading = ColumnReading(type="text")
        elif column.name not in simple:
            _look(staged, column, options)
    _settle_numbers(staged, columns, options)
    _settle_dates(staged, columns)
    _finish_text(staged, columns)
    return columns


def _native(kind: str) -> ColumnReading:
    """Return the reading of a column that has a type: so is its text read, where it has none."""
    numbers = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
    if kind.removeprefix("U").startswith(numbers) and not kind.endswith("]"):
        return ColumnReading(type="number")
    if kind == "BOOLEAN":
        return ColumnReading(
            type="truth", true=["true", "True", "TRUE", "1"], false=["false", "False", "FALSE", "0"]
        )
    return ColumnReading(type="as_is")


def _take_samples(staged: Staged, columns: Sequence[Column]) -> None:
    if not columns:
        return
    step = max(1, staged.rows // SAMPLE_ROWS)
    chosen = ", ".join(f"cast({column.staged} as varchar)" for column in columns)
    rows = staged.query(
        f"select {chosen} from temp.{staged.table} where rowid % {step} = 0 and {staged.kept_rows}"
    )
    for place, column in enumerate(columns):
        values = (row[place] for row in rows)
        column.sample = [value for value in values if value is not None and value.strip()]


def _is_missing(value: str) -> bool:
    return value.strip().lower() in MISSING


def _simple_patterns(columns: Sequence[Column], options: ReadingOptions) -> dict[str, str]:
    """Return the pattern that every value of a column's sample has, of columns that have one."""
    number, iso = re.compile(PLAIN_NUMBER), re.compile(ISO_TIME)
    patterns = {}
    for column in columns:
        known = [value for value in column.sample if not _is_missing(value)]
        if not known or column.name in {*options.ids, *options.text}:
            continue
        if all(number.fullmatch(value) for value in known):
            is_whole = all(value.strip().lstrip("+-").isdigit() for value in known)
            if is_whole:
                patterns[column.name] = WHOLE
            elif any(FRACTION.fullmatch(value) for value in known):
                patterns[column.name] = PLAIN_NUMBER
        elif all(iso.fullmatch(value) for value in known):
            patterns[column.name] = ISO_TIME
    return patterns


def _verified(staged: Staged, columns: Sequence[Column], options: ReadingOptions) -> set[str]:
    """Decide columns of plain numbers and of ISO dates, which one pass over the table proves."""
    patterns = _simple_patterns(columns, options)
    if not patterns:
        return set()
    by_name = {column.name: column for column in columns}
    chosen = []
    for name, pattern in patterns.items():
        staged_name = by_name[name].staged
        chosen.append(
            f"count({staged_name}),"
            f" count(*) filter (regexp_full_match({staged_name}, {literal(pattern)}))"
        )
        chosen.append(f"max(strlen({staged_name}))" if pattern == ISO_TIME else "0")
    ((*counts,),) = staged.query(
        f"select {', '.join(chosen)} from temp.{staged.table} where {staged.kept_rows}"
    )
    simple = set()
    for place, (name, pattern) in enumerate(patterns.items()):
        known, fits, longest = counts[3 * place : 3 * place + 3]
        column = by_name[name]
        if fits < known:
            continue
        column.known = known
        if pattern == ISO_TIME:
            column.is_iso = True
            column.dates = DateFormat("ymd", has_time=(longest or 0) > 10)
        elif name in options.times or _may_be_date(name, column.sample):
            continue
        else:
            column.is_whole = pattern == WHOLE
            column.is_broken = pattern == PLAIN_NUMBER
            column.numbers = NumberFormat(evidence="." if column.is_broken else "")
        simple.add(name)
    return simple


def _may_be_date(name: str, sample: Sequence[str]) -> bool:
    lengths = {len(value.strip()) for value in sample}
    return is_named_as_date(name) or (len(lengths) == 1 and lengths <= DIGITS_OF_MOMENTS)


def _look(staged: Staged, column: Column, options: ReadingOptions) -> None:
    """Decide a column by the shapes of all its values."""
    known = [value for value in column.sample if not _is_missing(value)]
    if not known:
        column.reading = ColumnReading(type="text")
        return
    pair = truth_words({value.strip() for value in known[:50]} | set(known[-50:]))
    wanted = {*options.times, *options.numbers}
    if column.name not in wanted and pair is None:
        shapes = [shape_of(value) for value in known]
        likely = sum(bool(number_shape(text) or date_shape(text)) for text in shapes)
        if likely < len(shapes) / 2:
            words = {value.strip().lower() for value in known}
            if len(words) == 2 and truth_words(words):
                _decide_truth(staged, column)
            else:
                _say_unread(staged, column, known)
            return
    if pair is not None and column.name not in wanted:
        _decide_truth(staged, column)
        return
    _count_shapes(staged, column)
    _decide_by_shapes(staged, column, options)


def _say_unread(staged: Staged, column: Column, known: Sequence[str]) -> None:
    looked = known[:: len(known) // UNREAD_SAMPLE + 1]
    for pattern, what in UNREAD:
        fits = re.compile(pattern).fullmatch
        fitting = [value for value in looked if fits(value.strip())]
        if len(fitting) > len(looked) / 2:
            ((row,),) = staged.query(
                f"select min(rowid) from temp.{staged.table} where {staged.kept_rows}"
                f" and {column.staged} = {literal(fitting[0])}"
            )
            example = quoted_example(Shape("", 1, staged.line(int(row)), fitting[0]))
            column.note = f"words, such as {example}; they look like {what}"
            return


def _decide_truth(staged: Staged, column: Column) -> None:
    found_count = staged.query(
        f"select trim({column.staged}), count(*), min(rowid) from temp.{staged.table}"
        f" where {column.staged} is not null and {staged.kept_rows} group by 1"
        " order by 2 desc limit 50"
    )
    words = {word: (int(count), int(row)) for word, count, row in found_count if word}
    missing = [word for word in words if word.lower() in MISSING]
    real = {word: count for word, (count, _) in words.items() if word not in missing}
    pair = truth_words(real)
    if pair is None:
        return
    column.missing, column.known = missing, sum(real.values())
    column.missing_count = sum(words[word][0] for word in missing)
    column.reading = ColumnReading(
        type="truth",
        true=sorted(word for word in real if word.lower() == pair[0]),
        false=sorted(word for word in real if word.lower() == pair[1]),
        missing=missing,
    )


def _count_shapes(staged: Staged, column: Column) -> None:
    name = column.staged
    found_count = staged.query(
        f"select {shape_sql(name)} as shape, count(*), min(rowid), arg_min({name}, rowid)"
        f" from temp.{staged.table} where {name} is not null and {staged.kept_rows}"
        f" group by shape having shape <> '' order by count(*) desc, 3 limit {MOST_SHAPES}"
    )
    lines = staged.lines(row for _, _, row, _ in found_count[:200])
    shapes = [
        Shape(text, int(count), lines.get(row, int(row) + 1 + staged.skip), example)
        for text, count, row, example in found_count
    ]
    absent = [word for word in MISSING if shape_of(word) in {shape.text for shape in shapes}]
    if absent:
        words = ", ".join(literal(word) for word in absent)
        spelled = staged.query(
            f"select distinct trim({name}) from temp.{staged.table}"
            f" where lower(trim({name})) in ({words}) and {staged.kept_rows} order by 1"
        )
        column.missing = [word for (word,) in spelled]
    column.missing_count = sum(s.count for s in shapes if s.text in MISSING_SHAPES)
    column.shapes = [shape for shape in shapes if shape.text not in MISSING_SHAPES]
    column.known = sum(shape.count for shape in column.shapes)


def _decide_by_shapes(staged: Staged, column: Column, options: ReadingOptions) -> None:
    name, known = column.name, column.known
    numbers = [shape for shape in column.shapes if number_shape(shape.text)]
    dates = [shape for shape in column.shapes if date_shape(shape.text)]
    number_count = sum(shape.count for shape in numbers)
    date_count = sum(shape.count for shape in dates)
    if not known:
        return
    most = max(number_count, date_count)
    if _is_of_two_kinds(column, numbers, dates):
        return
    is_wanted = name in options.times or name in options.numbers
    enough = known / 2 if is_wanted else known * (1 - STRAY_SHARE)
    if most < enough or most == 0:
        _say_mixed(column, options, most, number_count >= date_count)
        return
    has_only_digits = all(re.fullmatch(r"9+(\.0+|\.9+)?", shape.text) for shape in dates)
    if (
        name not in options.numbers
        and date_count >= enough
        and (date_count > number_count or not has_only_digits)
    ):
        column.dates = _decided_dates(staged, column, options.date_order)
        _take_strays(column, date_shape)
        return
    if number_count < enough:
        _say_mixed(column, options, most, False)
        return
    _decide_numbers(staged, column, numbers, options)


def _is_of_two_kinds(column: Column, numbers: list[Shape], dates: list[Shape]) -> bool:
    enough = column.known * (1 - STRAY_SHARE)
    counts = [sum(shape.count for shape in shapes) for shapes in (numbers, dates)]
    both = {shape.text: shape for shape in [*numbers, *dates]}
    if max(counts) >= enough or sum(shape.count for shape in both.values()) < enough:
        return False
    number = next(shape for shape in numbers if not date_shape(shape.text))
    day = next(shape for shape in dates if not number_shape(shape.text))
    column.dates = DateFormat(
        problem=f"numbers and dates: {quoted_example(number)} and {quoted_example(day)}"
    )
    return True


def _decide_numbers(
    staged: Staged, column: Column, numbers: list[Shape], options: ReadingOptions
) -> None:
    _take_strays(column, number_shape)
    if column.name not in options.numbers and _number_dates(staged, column, options):
        return
    if column.name in options.times:
        raise DataError(
            f"--time {column.name}: holds numbers that are no dates, such as"
            f" {quoted_example(numbers[0])}: name the column with the time"
        )
    if column.name not in options.numbers and _is_code(staged, column):
        return
    column.numbers = decide_number(
        column.shapes,
        leading_zero=_leading_zeros(staged, column),
        delimiter=staged.delimiter if staged.kind == "text" else "",
    )


def _say_mixed(column: Column, options: ReadingOptions, most: int, is_number: bool) -> None:
    what = "number" if is_number else "date"
    test = number_shape if is_number else date_shape
    other = next((shape for shape in column.shapes if not test(shape.text)), None)
    if column.name in options.times:
        assert other is not None
        raise DataError(
            f"--time {column.name}: holds no times, such as {quoted_example(other)}: name the"
            " column with the time"
        )
    if column.name in options.numbers:
        assert other is not None
        raise DataError(
            f"column '{column.name}': holds no numbers, such as {quoted_example(other)}: name"
            " another column"
        )
    if most >= column.known / 2 and other is not None:
        column.note = (
            f"text: {column.known - most:,} of {column.known:,} values are no {what}, such as"
            f" {quoted_example(other)}"
        )


def _take_strays(column: Column, test: object) -> None:
    assert callable(test)
    strays = [shape for shape in column.shapes if not test(shape.text)]
    column.strays = column.known - sum(s.count for s in column.shapes if test(s.text))
    column.stray = strays[0] if strays else None


def _leading_zeros(staged: Staged, column: Column) -> int:
    if not any(re.search(r"(^|[^9.,])9[.,]999(\D|$)", shape.text) for shape in column.shapes):
        return 0
    ((count,),) = staged.query(
        f"select count(*) from temp.{staged.table} where {staged.kept_rows}"
        rf" and regexp_matches({plain_sql(column.staged)}, '(^|[^\d.,])0[.,]\d\d\d(\D|$)')"
    )
    return int(count)


def _is_code(staged: Staged, column: Column) -> bool:
    # 00123 and whole numbers of more digits than a number keeps are text.
    whole = [shape for shape in column.shapes if re.fullmatch(r"9+", shape.text)]
    if any(len(shape.text) > MOST_DIGITS for shape in whole):
        column.note = "text: whole numbers of so many digits are codes"
        return True
    if not any(len(shape.text) > 1 for shape in whole):
        return False
    ((zeros,),) = staged.query(
        f"select count(*) from temp.{staged.table} where {staged.kept_rows}"
        rf" and regexp_matches({plain_sql(column.staged)}, '^0\d+$')"
    )
    if zeros:
        column.note = "text: numbers that begin with 0 are codes"
    return bool(zeros)


def _number_dates(staged: Staged, column: Column, options: ReadingOptions) -> bool:
    is_named = column.name in options.times or is_named_as_date(column.name)
    sample = [value.strip() for value in column.sample if not _is_missing(value)]
    if not is_named and not all(re.fullmatch(r"\d{8}(\d{4}|\d{6})?(\.0+)?", v) for v in sample):
        return False
    number = number_sql(column.staged, ColumnReading(type="number"))
    day = f"try_strptime(left({plain_sql(column.staged)}, 8), '%Y%m%d')"
    low, high, broken, days, count = staged.query(
        f"select min({number}), max({number}), count(*) filter ({number} <> trunc({number})),"
        f" count({day}) filter (length(trim({column.staged})) >= 8), count({number})"
        f" from temp.{staged.table} where {staged.kept_rows}"
    )[0]
    if not count:
        return False
    found_count = numbers_as_dates(
        low, high, is_whole=not broken, valid_days=days / count, is_named=is_named
    )
    if found_count is None:
        return False
    has_time = found_count.startswith("epoch") or broken > 0
    has_time |= found_count == "yyyymmdd" and high > 10**8
    if found_count.startswith("epoch"):
        seconds = 86_400 if found_count == "epoch_seconds" else 86_400_000
        ((parts,),) = staged.query(
            f"select count(*) from temp.{staged.table} where {staged.kept_rows}"
            f" and {number} % {seconds} <> 0"
        )
        has_time = parts > 0
    column.dates = DateFormat(found_count, has_time=has_time)
    return True


def _decided_dates(staged: Staged, column: Column, order: str | None) -> DateFormat:
    ranges = None
    families = {form.family for shape in column.shapes if (form := date_shape(shape.text))}
    if any(family.startswith("parted") for family in families):
        parts = [
            f"try_cast(regexp_extract({plain_sql(column.staged)}, {literal(PARTED_DATE)}, {part})"
            " as integer)"
            for part in (1, 2, 3)
        ]
        chosen = ", ".join(f"min({part}), max({part})" for part in parts)
        (result,) = staged.query(
            f"select {chosen} from temp.{staged.table} where {staged.kept_rows}"
        )
        low_high = [(result[i] or 0, result[i + 1] or 0) for i in (0, 2, 4)]
        ranges = PartRanges(*low_high)
    return decide_dates(column.shapes, ranges, order)


def _settle_numbers(staged: Staged, columns: Sequence[Column], options: ReadingOptions) -> None:
    """Decide numbers that could be read in two ways by the other columns of the file."""
    results = [column for column in columns if column.numbers is not None]
    shown = {c.numbers.evidence for c in results if c.numbers and c.numbers.evidence}
    dotted = any(
        c.dates and c.dates.format == "dmy" and "." in (c.sample or [""])[0] for c in columns
    )
    for column in results:
        form = column.numbers
        assert form is not None
        if form.problem:
            raise DataError(
                f"{staged.source}, column '{column.name}': {form.problem}; mend the file, or take"
                f" the column as words with --text '{column.name}'"
            )
        if form.is_guess:
            sign = options.decimal or (next(iter(shown)) if len(shown) == 1 else None)
            if sign is None and staged.delimiter == ";" and form.decimal == "," and dotted:
                sign = ","
            if sign is None:
                raise DataError(_two_readings(staged, column))
            form = decide_number(column.shapes, decimal=sign)
        elif options.decimal and not form.evidence and column.shapes:
            form = decide_number(column.shapes, decimal=options.decimal)
        column.numbers = form
        column.reading = ColumnReading(
            type="number",
            decimal="," if form.decimal == "," else ".",
            thousands=form.thousands,  # type: ignore[arg-type]
            unit=form.unit,
            missing=column.missing,
        )


def _two_readings(staged: Staged, column: Column) -> str:
    example = next(shape for shape in column.shapes if re.search(r"9[.,]999(\D|$)", shape.text))
    value = example.example.strip()
    whole = re.sub(r"[^\d]", "", value)
    return (
        f"{staged.source}, column '{column.name}': {quoted_example(example)} could be"
        f" {int(whole):,} or have three decimals; say which: --decimal , or --decimal ."
    )


def _settle_dates(staged: Staged, columns: Sequence[Column]) -> None:
    results = [column for column in columns if column.dates is not None]
    orders = {
        c.dates.format
        for c in results
        if c.dates and not c.dates.choices and c.dates.format in {"dmy", "mdy"}
    }
    for column in results:
        form = column.dates
        assert form is not None
        if form.problem:
            raise DataError(
                f"{staged.source}, column '{column.name}': {form.problem}; mend the file, or take"
                f" the column as words with --text '{column.name}'"
            )
        if form.choices:
            order = next(iter(orders)) if len(orders) == 1 else None
            if order is None:
                example = next(shape for shape in column.shapes if date_shape(shape.text))
                raise DataError(
                    f"{staged.source}, column '{column.name}': {quoted_example(example)} and every"
                    f" other date fit {' and '.join(form.choices)}; say which:"
                    f" {' or '.join(f'--date-order {choice}' for choice in form.choices)}"
                )
            form = replace(form, format=order)
        column.dates = form
        column.reading = ColumnReading(
            type="time" if form.has_time or form.has_zone else "date",
            format=form.format,  # type: ignore[arg-type]
            century=datetime.now(UTC).year % 100 if form.is_short else None,
            missing=column.missing,
        )


def _decide_id(staged: Staged, column: Column) -> None:
    name = column.staged
    value = name if staged.kind_of(name) == "VARCHAR" else f"cast({name} as varchar)"
    zeros = (
        f"case when contains({value}, '.0')"
        f" then regexp_full_match({value}, '\\s*\\d+\\.0+\\s*') else false end"
    )
    is_missing = missing_word_sql(value, MISSING_IN_IDS)
    ((known, points, words, loose),) = staged.query(
        f"select count({value}), count(*) filter ({zeros}), count(*) filter ({is_missing}),"
        f" count(*) filter ({is_loose_sql(value)})"
        f" from temp.{staged.table} where {staged.kept_rows}"
    )
    wholes = 0
    if points:
        ((wholes,),) = staged.query(
            f"select count(*) from temp.{staged.table} where {staged.kept_rows}"
            f" and regexp_full_match(trim({value}), '\\d+(\\.0+)?')"
        )
    column.missing = _spelled(staged, value, is_missing) if words else []
    column.known = int(known)
    column.is_tight = loose == 0
    column.reading = ColumnReading(
        type="id",
        missing=column.missing,
        strip_point_zero=points > 0 and wholes >= 0.5 * known,
    )


def _spelled(staged: Staged, value: str, condition: str) -> list[str]:
    """Return the values that a condition finds, in all their spellings."""
    found = staged.query(
        f"select distinct trim({value}) from temp.{staged.table}"
        f" where {condition} and {staged.kept_rows} order by 1"
    )
    return [word for (word,) in found]


def rounded_ids(staged: Staged, name: str) -> Shape | None:
    """Return the first id of a column that a spreadsheet rounded, such as ``4.9E+12``."""
    text = f"cast({staged.column(name)} as varchar)"
    pattern = literal(rf"\s*{ROUNDED_ID}\s*")
    ((count, row, example),) = staged.query(
        f"select count(*), min(rowid), arg_min(trim({text}), rowid) from temp.{staged.table}"
        f" where contains({text}, '+') and regexp_full_match({text}, {pattern})"
        f" and {staged.kept_rows}"
    )
    return Shape("", int(count), staged.line(row), example) if count else None


def _finish_text(staged: Staged, columns: Sequence[Column]) -> None:
    """Find the words for no value in columns of words: those of the whole file count as well."""
    texts = [column for column in columns if column.reading.type == "text"]
    if not texts:
        return
    typed = [c for c in columns if c.reading.type in {"number", "date", "time"}]
    words = {word.lower() for column in typed for word in column.missing} | MISSING_IN_TEXT
    chosen = ", ".join(
        f"count(*) filter ({missing_word_sql(c.staged, words)}),"
        f" count(*) filter ({is_loose_sql(c.staged)})"
        for c in texts
    )
    (counts,) = staged.query(f"select {chosen} from temp.{staged.table} where {staged.kept_rows}")
    for place, column in enumerate(texts):
        found, loose = counts[2 * place : 2 * place + 2]
        is_missing = missing_word_sql(column.staged, words)
        column.missing = _spelled(staged, column.staged, is_missing) if found else []
        column.is_tight = loose == 0
        column.reading = ColumnReading(type="text", missing=column.missing)
