"""How a column writes its numbers.

``1,234.56``, ``1.234,56``, ``1 234,56``, ``1'234.56``, ``1,23,456.78``; with a currency or a
percent sign; below zero with a minus before or after, or in parentheses; with an exponent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from models_py.sources.reading.shapes import Shape, quoted_example

CURRENCIES = {
    "$": "USD", "us$": "USD", "usd": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR",
    "euros": "EUR", "£": "GBP", "gbp": "GBP", "¥": "JPY", "jpy": "JPY", "円": "JPY",
    "cny": "CNY", "rmb": "CNY", "元": "CNY", "₹": "INR", "inr": "INR", "rs": "INR", "rs.": "INR",
    "₽": "RUB", "rub": "RUB", "\u0440\u0443\u0431.": "RUB",
    "₺": "TRY", "try": "TRY", "tl": "TRY",
    "₩": "KRW", "krw": "KRW", "₪": "ILS", "ils": "ILS", "฿": "THB", "thb": "THB", "₫": "VND",
    "vnd": "VND", "₴": "UAH", "uah": "UAH", "₦": "NGN", "ngn": "NGN", "₱": "PHP", "php": "PHP",
    "r$": "BRL", "brl": "BRL", "chf": "CHF", "fr.": "CHF", "sfr.": "CHF", "a$": "AUD",
    "aud": "AUD", "c$": "CAD", "ca$": "CAD", "cad": "CAD", "nz$": "NZD", "nzd": "NZD",
    "hk$": "HKD", "hkd": "HKD", "s$": "SGD", "sgd": "SGD", "kr": "kr", "kr.": "kr", "sek": "SEK",
    "nok": "NOK", "dkk": "DKK", "zł": "PLN", "pln": "PLN", "kč": "CZK", "czk": "CZK",
    "ft": "HUF", "huf": "HUF", "lei": "RON", "ron": "RON", "лв": "BGN", "bgn": "BGN",
    "zar": "ZAR", "mxn": "MXN", "mx$": "MXN", "rp": "IDR", "idr": "IDR", "rm": "MYR",
    "myr": "MYR", "aed": "AED", "sar": "SAR",
}  # fmt: skip
"""Signs and codes, in small letters, to the currency."""
UNITS = {**CURRENCIES, "%": "%", "‰": "‰"}
DECIMALS = (".", ",")
THOUSANDS = ("", ",", ".", " ", "'")
STRAY_SHARE = 0.01
"""A column is of a type if at most this share of its values is not."""


@dataclass(frozen=True)
class NumberFormat:
    """How a column writes numbers.

    Attributes
    ----------
    decimal, thousands
        The signs; an empty ``thousands`` is none.
    unit
        As the file writes it; empty is none.
    problem
        Why the column cannot be read, with values and lines; empty if it can.
    is_guess
        Whether another reading fits every value as well, and nothing in the column speaks for one.
    evidence
        The decimal sign that the column shows beyond doubt; empty if it shows none.
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    problem: str = ""
    is_guess: bool = False
    evidence: str = ""


@dataclass(frozen=True)
class NumberShape:
    """What a shape says: its unit, and pairs of decimal sign and thousands sign that fit it.

    A pair's decimal sign is empty where the shape has none.
    """

    unit: str
    readings: frozenset[tuple[str, str]]


@cache
def _unit_pattern() -> str:
    return "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))


@cache
def number_shape(text: str) -> NumberShape | None:
    """Return what a shape says as a number, or None if it is none."""
    unit = _unit_pattern()
    digits = r"[9.,' ]*9[9.,' ]*?(?:e[-+]?9{1,3})?"
    inner = re.fullmatch(r"\((.+)\)", text)
    match = re.fullmatch(
        rf"(?:[-+] ?)?(?P<before>{unit})? ?(?:[-+] ?)?(?P<core>{digits})"
        rf" ?(?P<after>{unit})?(?: ?-)?",
        inner[1].strip() if inner else text,
    )
    if match is None or (match["before"] and match["after"]):
        return None
    readings = _readings(match["core"].strip())
    if not readings:
        return None
    return NumberShape(match["before"] or match["after"] or "", readings)


def core_pattern(decimal: str, thousands: str, digit: str = r"\d") -> str:
    """Return the pattern of an unsigned number of a format; it is one for RE2 as well."""
    d, fraction = digit, rf"(?:{re.escape(decimal)}{digit}*)?"
    whole = rf"{d}+"
    if thousands:
        sign = re.escape(thousands)
        whole = (
            rf"(?:{d}{{1,3}}(?:{sign}{d}{{3}})+|{d}{{1,2}}(?:{sign}{d}{{2}})+{sign}{d}{{3}}|{d}+)"
        )
    return rf"(?:{whole}{fraction}|{re.escape(decimal)}{d}+)(?:e[-+]?{d}{{1,3}})?"


def _readings(core: str) -> frozenset[tuple[str, str]]:
    result = set()
    for decimal in DECIMALS:
        for thousands in THOUSANDS:
            if thousands == decimal or (thousands and thousands not in core):
                continue
            if re.fullmatch(core_pattern(decimal, thousands, "9"), core):
                result.add((decimal if decimal in core else "", thousands))
    return frozenset(result)


def _fits(shape: NumberShape, decimal: str, thousands: str) -> bool:
    return any(d in {"", decimal} and t in {"", thousands} for d, t in shape.readings)


def _is_forked(shape: NumberShape) -> bool:
    # 1.234 and 1,234: thousands, or three decimals.
    return len({d for d, _ in shape.readings}) > 1


def decide_number(
    shapes: Sequence[Shape],
    *,
    leading_zero: int = 0,
    decimal: str | None = None,
    delimiter: str = "",
) -> NumberFormat:
    """Decide how a column writes its numbers.

    Parameters
    ----------
    shapes
        Of every value that is not missing.
    leading_zero
        Values such as ``0.123`` or ``0,123``, which no thousands begin with.
    decimal
        The decimal sign, where the user or the rest of the file tells it.
    delimiter
        What parts the values of the file; a mark that is one is hardly a sign of numbers.

    Returns
    -------
    NumberFormat
        With a problem where two formats stand in the column.
    """
    parsed = [(shape, form) for shape in shapes if (form := number_shape(shape.text)) is not None]
    total = sum(shape.count for shape, _ in parsed)
    unit, problem = _unit(parsed, total)
    if problem:
        return NumberFormat(problem=problem)
    scored = [
        (sum(s.count for s, form in parsed if _fits(form, d, t)), d, t)
        for d in ([decimal] if decimal else DECIMALS)
        for t in THOUSANDS
        if t != d
    ]
    most = max(count for count, _, _ in scored)
    best = [(d, t) for count, d, t in scored if count == most]
    if total - most > STRAY_SHARE * total:
        return _two_formats(parsed, best[0])
    forced = _forced(parsed, total)
    sign = forced or decimal or ""
    kept = [(d, t) for d, t in best if d == sign] or best
    result = replace(_simplest(kept, parsed), unit=unit, evidence=forced)
    forked = next((shape for shape, form in parsed if _is_forked(form)), None)
    if forked is None or forced or decimal:
        return result
    mark = "." if "." in forked.text else ","
    if leading_zero:
        kept = [(d, t) for d, t in best if d == mark] or best
        return replace(_simplest(kept, parsed), unit=unit, evidence=mark)
    return replace(_weigh(mark, best, parsed, delimiter), unit=unit)


def _forced(parsed: Sequence[tuple[Shape, NumberShape]], total: int) -> str:
    # What a number without a fork shows is the decimal sign of all.
    counts = dict.fromkeys(DECIMALS, 0)
    for shape, form in parsed:
        if not _is_forked(form):
            for sign in {d for d, _ in form.readings if d} or _opposite(form):
                counts[sign] += shape.count
    sign = max(counts, key=lambda mark: counts[mark])
    return sign if counts[sign] > 0.001 * total else ""


def _opposite(form: NumberShape) -> set[str]:
    # 1.234.567 has dots for thousands, so that its decimal sign is a comma.
    signs = {t for _, t in form.readings}
    return {"," for t in signs if t == "."} | {"." for t in signs if t == ","}


def _weigh(
    mark: str,
    best: Sequence[tuple[str, str]],
    parsed: Iterable[tuple[Shape, NumberShape]],
    delimiter: str,
) -> NumberFormat:
    """Decide on numbers such as 1.234 alone, with or without whole numbers below 1,000."""
    other = "," if mark == "." else "."
    as_decimal = _simplest([(d, t) for d, t in best if d == mark] or best, parsed)
    as_thousands = _simplest([(d, t) for d, t in best if (d, t) == (other, mark)] or best, parsed)
    has_plain = any(not _is_forked(form) for _, form in parsed)
    if mark == "," and delimiter == ",":
        return as_thousands
    if mark == "." and delimiter == "," and not has_plain:
        return as_decimal
    return replace(as_thousands if has_plain else as_decimal, is_guess=True)


def _simplest(
    best: Sequence[tuple[str, str]], parsed: Iterable[tuple[Shape, NumberShape]]
) -> NumberFormat:
    readings = {reading for _, form in parsed for reading in form.readings}
    used = [(d, t) for d, t in best if not t or any(t == sign for _, sign in readings)]
    decimal, thousands = min(
        used or best, key=lambda pair: (pair[1] != "", pair[0] != ".", THOUSANDS.index(pair[1]))
    )
    return NumberFormat(decimal, thousands)


def _unit(parsed: Sequence[tuple[Shape, NumberShape]], total: int) -> tuple[str, str]:
    by_unit: dict[str, list[Shape]] = {}
    for shape, form in parsed:
        by_unit.setdefault(UNITS.get(form.unit, ""), []).append(shape)
    counts = {unit: sum(shape.count for shape in shapes) for unit, shapes in by_unit.items()}
    named = {unit: count for unit, count in counts.items() if unit and count > STRAY_SHARE * total}
    percent = {"%", "‰"}
    if len(named) > 1 or (
        named and set(named) <= percent and counts.get("", 0) > STRAY_SHARE * total
    ):
        examples = [quoted_example(shapes[0]) for shapes in by_unit.values()][:2]
        return "", f"two units in one column: {' and '.join(examples)}"
    if not named:
        return "", ""
    (unit,) = named
    written = next(form.unit for _, form in parsed if UNITS.get(form.unit) == unit)
    return written, ""


def _two_formats(
    parsed: Sequence[tuple[Shape, NumberShape]], pair: tuple[str, str]
) -> NumberFormat:
    first = next(
        shape for shape, form in parsed if _fits(form, *pair) and ("", "") not in form.readings
    )
    other = next(shape for shape, form in parsed if not _fits(form, *pair))
    return NumberFormat(
        problem=f"numbers of two kinds: {quoted_example(first)} and {quoted_example(other)}"
    )
