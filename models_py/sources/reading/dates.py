"""How a column writes its dates and times.

The order of day and month is decided by the whole column; where two orders fit every value, the
user is asked. A number is a date only where its column is said or named to be one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from models_py.sources.reading.numbers import STRAY_SHARE
from models_py.sources.reading.shapes import Shape, quoted_example

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janv janvier ene enero gen gennaio janeiro januari janu",
            "feb february februar fevr fev fevrier febrero febbraio fevereiro februari",
            "mar march marz mars marzo marco maart mrt mrz maerz",
            "apr april avr avril abr abril aprile",
            "may mai mayo mag maggio maio mei",
            "jun june juni juin junio giu giugno junho",
            "jul july juli juil juillet julio lug luglio julho",
            "aug august aout ago agosto augustus",
            "sep sept september septembre septiembre set settembre setembro",
            "oct october okt oktober octobre octubre ott ottobre out outubro",
            "nov november novembre noviembre novembro",
            "dec december dez dezember decembre dic diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
"""Months in English, German, French, Spanish, Italian, Portuguese and Dutch, without accents."""

ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120,
    "mez": 60, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "est": -300, "edt": -240,
    "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "jst": 540,
}  # fmt: skip
"""Minutes before UTC of the zones that are written by letters."""

_DAYS = "mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim"
WEEKDAY = rf"(?:(?:{_DAYS})[a-z]*[.,]?,? +)?"
_TIME_OF_DAY = (
    r"(?P<h>D{1,2}):(?P<mi>DD)(?::(?P<s>DD)(?:[.,](?P<f>D{1,9}))?)?(?: ?(?P<ap>[ap])\.?m\.?)?"
)
_ZONE = r"(?: ?(?P<z>z|[-+]DD:?(?:DD)?|ZONES)(?: \([a-z ]+\))?)?"


MONTHS_ALONE = ("ym", "my")
"""Families of dates without a day, which stand for the first of the month."""


@dataclass(frozen=True)
class DateFormat:
    """How a column writes dates.

    Attributes
    ----------
    format
        As the record has it; None if the column holds no dates.
    has_time, has_zone, is_short
        Whether there are times of day, offsets, and years of two digits.
    problem
        Why it cannot be read; empty if it can.
    choices
        Orders that fit every value, where more than one does.
    """

    format: str | None = None
    has_time: bool = False
    has_zone: bool = False
    is_short: bool = False
    problem: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class DateShape:
    """What a shape says: the family of its format, and what stands beside the day."""

    family: str
    has_time: bool
    has_zone: bool
    is_short: bool


@cache
def _month_pattern() -> str:
    return "|".join(sorted(MONTHS, key=len, reverse=True))


def date_pattern(family: str, digit: str = r"\d") -> str:
    """Return the pattern of a family of dates, with its parts named; it is one for RE2 as well.

    Parameters
    ----------
    family
        ``ymd``, ``dmy``, ``mdy``, ``yyyymmdd``, or of months alone ``ym`` and ``my``; the value has
        small letters and no accents.
    digit
        What stands for a digit.
    """
    names = rf"(?P<n>{_month_pattern()})\.?"
    number, between = r"(?P<m>D{1,2})", r"(?: ?[-/.,] ?| +de +| +)"
    day, year = r"(?P<d>D{1,2})(?:st|nd|rd|th)?", r"(?P<y>DDDD|DD)"
    # A name of a month parts the numbers by itself: 03jan2024.
    loose = r"(?: ?[-/.,]{0,2} ?| +de +)"
    patterns = {
        "ymd": rf"{year}{between}(?:{number}|{names}){between}{day}",
        "dmy": rf"{WEEKDAY}{day}(?:\.?{between}{number}{between}|\.?{loose}{names}{loose}){year}",
        "mdy": rf"{WEEKDAY}(?:{number}|{names}){between}{day}{between}{year}",
        "yyyymmdd": r"(?P<y>DDDD)(?P<m>DD)(?P<d>DD)",
        "ym": rf"(?P<y>DDDD)(?:[-/]{number}| ?[-/.,]? ?{names})",
        "my": rf"(?:{number}[-/]|{names}[-/., ]? ?'?){year}",
    }
    clock, between_day_and_time = _TIME_OF_DAY, "(?:t|,? +)"
    if family == "yyyymmdd":
        clock = r"(?P<h>DD):?(?P<mi>DD):?(?P<s>DD)?(?:[.,](?P<f>D{1,9}))?(?P<ap>[ap])?"
        between_day_and_time = "(?:t|,? +)?"
    zones = _ZONE.replace("ZONES", "|".join(sorted(ZONES, key=len, reverse=True)))
    if family in MONTHS_ALONE:
        return patterns[family].replace("D", digit)
    whole = rf"{patterns[family]}(?:{between_day_and_time}{clock}{zones})?"
    return whole.replace("D", "\0").replace("\0", digit)


@cache
def date_shape(text: str) -> DateShape | None:
    """Return what a shape says as a date, or None if it is none."""
    plain = _without_accents(text)
    for family in ("ymd", "dmy", "mdy", "yyyymmdd", *MONTHS_ALONE):
        match = re.fullmatch(date_pattern(family, "9"), plain)
        if match is None:
            continue
        parts = match.groupdict()
        is_short = len(parts["y"]) == 2
        name = family
        if is_short and family == "ymd" and parts["n"]:
            continue
        if family in MONTHS_ALONE:
            if is_short and not parts["n"]:
                continue
            return DateShape(name, has_time=False, has_zone=False, is_short=is_short)
        if family != "yyyymmdd" and parts["m"]:
            marks = re.findall(r"9( ?[-/.,] ?| +)(?=9)", plain.split(":")[0])
            if len(marks) < 2 or marks[0].strip() != marks[1].strip():
                continue
            if (is_short and family == "ymd") or family in {"dmy", "mdy"}:
                name = f"parted {marks[0].strip()}"
        return DateShape(name, bool(parts["h"]), bool(parts["z"]), is_short)
    return None


def _without_accents(text: str) -> str:
    import unicodedata

    split = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in split if not unicodedata.combining(letter))


@dataclass(frozen=True)
class PartRanges:
    """Of dates in three parted numbers: least and most of the first, second and third."""

    first: tuple[int, int]
    second: tuple[int, int]
    third: tuple[int, int]


def decide_dates(
    shapes: Sequence[Shape], ranges: PartRanges | None = None, order: str | None = None
) -> DateFormat:
    """Decide how a column writes its dates.

    Parameters
    ----------
    shapes
        Of every value that is not missing.
    ranges
        Of the three numbers, where day, month and year are parted numbers without a year in front.
    order
        ``dmy``, ``mdy`` or ``ymd``, where the user or the rest of the file tells it.
    """
    parsed = [(shape, form) for shape in shapes if (form := date_shape(shape.text)) is not None]
    total = sum(shape.count for shape, _ in parsed)
    by_family: dict[str, list[tuple[Shape, DateShape]]] = {}
    for shape, form in parsed:
        by_family.setdefault(form.family, []).append((shape, form))
    large = {
        family: rows
        for family, rows in by_family.items()
        if sum(shape.count for shape, _ in rows) > STRAY_SHARE * total
    }
    if len(large) > 1:
        examples = [quoted_example(rows[0][0]) for rows in large.values()]
        return DateFormat(problem=f"dates of two formats: {' and '.join(examples[:2])}")
    (family,) = large
    forms = [form for _, form in large[family]]
    result = DateFormat(
        format=family,
        has_time=any(form.has_time for form in forms),
        has_zone=any(form.has_zone for form in forms),
        is_short=any(form.is_short for form in forms),
    )
    if not family.startswith("parted"):
        return result
    return _ordered(result, family, forms, ranges, order, large[family])


def _ordered(
    result: DateFormat,
    family: str,
    forms: Sequence[DateShape],
    ranges: PartRanges | None,
    order: str | None,
    rows: Sequence[tuple[Shape, DateShape]],
) -> DateFormat:
    from dataclasses import replace

    assert ranges is not None
    first, second, third = ranges.first[1], ranges.second[1], ranges.third[1]
    fits = []
    if first <= 31 and second <= 12:
        fits.append("dmy")
    if first <= 12 and second <= 31:
        fits.append("mdy")
    if all(form.is_short for form in forms) and second <= 12 and third <= 31:
        fits.append("ymd")
    if order is not None:
        return replace(result, format=order)
    if not fits:
        examples = " and ".join(quoted_example(shape) for shape, _ in rows[:2])
        return replace(
            result,
            format=None,
            problem=f"day and month change places: {examples} and others fit no one order",
        )
    if family == "parted ." and "dmy" in fits:
        # Dots part days from months, in this order, wherever they are used.
        fits = ["dmy"]
    elif "ymd" in fits and len(fits) > 1 and third > 12 and first >= 13 and second <= 12:
        # Both 24-01-31 and 31-01-24 fit: the part with one value or two is the year.
        fits = _by_spread(fits, ranges)
    elif "ymd" in fits and len(fits) > 1 and family != "parted -":
        fits.remove("ymd")
    return replace(result, format=fits[0], choices=tuple(fits) if len(fits) > 1 else ())


def _by_spread(fits: list[str], ranges: PartRanges) -> list[str]:
    first = ranges.first[1] - ranges.first[0]
    third = ranges.third[1] - ranges.third[0]
    if third <= 5 and first >= 20:
        return [order for order in fits if order != "ymd"]
    if first <= 5 and third >= 20:
        return ["ymd"]
    return fits


NAMED_AS_DATE = re.compile(
    r"date|datum|fecha|datetime|timestamp|time|day|tag|jour|epoch|serial|joined|since|created|"
    r"updated|signup|registered|birth|born|opened|closed|purchased|ordered|expires|_at$|_on$",
)


def is_named_as_date(name: str) -> bool:
    """Return whether a column's name says that it holds dates, and not a count of days."""
    low = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    counts = re.search(
        r"days|_?count|num|hours|minutes|times|months|years|daytime|lifetime|of_day|weekday|"
        r"dayof|day_of|duration|amount|spend|value",
        low,
    )
    return bool(NAMED_AS_DATE.search(low)) and counts is None


def numbers_as_dates(
    low: float, high: float, *, is_whole: bool, valid_days: float, is_named: bool
) -> str | None:
    """Return the format of a column of numbers that are dates, or None.

    Parameters
    ----------
    low, high
        Least and most of the column.
    is_whole
        Whether every number is whole.
    valid_days
        Share of the numbers whose first eight digits are a date when read as yyyymmdd.
    is_named
        Whether the column is said or named to hold dates.
    """
    is_day = is_whole and valid_days >= 1 - STRAY_SHARE
    if is_day and any(low >= 19000101 * d and high < 21010000 * d for d in (1, 10**4, 10**6)):
        return "yyyymmdd"
    if not is_named:
        return None
    # From 1980 on; a smaller number is a count more often than a date.
    if low >= 315_532_800 and high <= 4_102_444_800:
        return "epoch_seconds"
    if low >= 315_532_800_000 and high <= 4_102_444_800_000:
        return "epoch_milliseconds"
    if low >= 10_000 and high <= 73_050:
        return "spreadsheet_days"
    return None
