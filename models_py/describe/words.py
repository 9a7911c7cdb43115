"""Columns, and what a segment has of them, as a reader who never saw the table would say it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from models_py.base.numbers import in_units, share, time_unit
from models_py.base.plurals import is_plural, many
from models_py.studies.study import ColumnWords

WORDS = Path(__file__).with_name("words.toml")
PREFIXES = ("department_", "format_", "hour_")
ENDINGS = (
    (" effective count", "effective number of {}"),
    (" richness", "different {}"),
    (" count", "number of {}"),
    (" amount", "{}"),
    (" mean", "average {}"),
    (" median", "median {}"),
    (" spread", "spread of {}"),
)
COUNTED = {" effective count", " richness", " count"}
STATES = ("is", "was", "are", "were")
HOLDINGS = ("has", "had", "have", "with", "owns", "uses")

CURRENCIES = (
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HUF", "INR", "JPY", "KRW",
    "MXN", "NOK", "NZD", "PLN", "SEK", "USD", "ZAR",
)  # fmt: skip
"""What a column of money may end with."""

PEOPLE = (
    "student", "smoker", "member", "customer", "guest", "owner", "parent", "subscriber", "client",
    "user", "buyer", "graduate", "senior", "driver", "employee", "citizen", "resident",
)  # fmt: skip
"""Endings of ``is_`` columns that say who somebody is."""

LEVELS = (
    "low",
    "lower",
    "medium",
    "middle",
    "average",
    "high",
    "higher",
    "small",
    "large",
    "basic",
    "primary",
    "secondary",
    "tertiary",
)
"""Words of a degree, which a file may write with a capital."""

DEGREES = frozenset(LEVELS) - {"basic"}
"""Those that stand before their column: a plan is basic beside plus and pro."""

SHORTEST_WORD = 2
"""Signs of a code, such as ``A`` or ``X1``."""

RANKED = tuple(
    f"{word} "
    for word in ("favourite", "favorite", "preferred", "main", "primary", "usual", "first", "last")
)
"""What a column's words begin with that says which of several its word is."""

AMOUNTS = frozenset(
    {
        "assets", "bills", "charges", "costs", "deposits", "dues", "earnings", "expenses", "fees",
        "funds", "incomes", "payments", "premiums", "prices", "proceeds", "profits", "revenues",
        "sales", "savings", "taxes", "wages", "debts", "losses", "margins", "rates", "scores",
        "ratings", "levels", "limits",
    }
)  # fmt: skip
"""What stands in the plural and is high or low rather than many or few."""

SPANS = frozenset({"duration", "tenure", "experience", "delay", "wait", "stay", "membership"})
"""What is long or short, though its column names no unit of time."""

ONE_BY_ONE = frozenset({"session", "call", "visit", "trip", "ride", "gap", "chat", "workout"})
"""Of these a time is that of many."""

OF_TIME = frozenset({"monthly", "weekly", "daily", "yearly", "total", "active", "used", "open"})
"""What stands before days or minutes that are counted: they are many or few, not long."""

SHORTENED = (
    (re.compile(r"^(num|nb|nbr|cnt)( of)? (?=\w)", re.IGNORECASE), "number of "),
    (re.compile(r"^(.+) (cnt|nbr)$", re.IGNORECASE), r"number of \1"),
    (re.compile(r"^avg (?=\w)", re.IGNORECASE), "average "),
    (re.compile(r"^mnt (?=\w)", re.IGNORECASE), "spend on "),
    (re.compile(r"(^| )qty( |$)", re.IGNORECASE), r"\1quantity\2"),
)
"""What many files shorten in the names of their columns, and what it stands for."""

MANY, LONG = ("many", "few"), ("long", "short")

SINCE = re.compile(r"^(days|weeks|months|years|time) since (the )?")

PartKind = Literal["as", "who", "state", "with", "phrase"]
"""An adjective before a noun, a noun, an adjective that stands alone, ``with ...``, a phrase."""


@dataclass(frozen=True)
class Part:
    """What one column gives to a segment's name."""

    kind: PartKind
    words: str


@dataclass(frozen=True)
class Vocabulary:
    """What columns are called: by the study's own words, ``words.toml``, or their names.

    Attributes
    ----------
    own
        The study's, by column.
    """

    own: Mapping[str, ColumnWords] = field(default_factory=dict)

    def called(self, column: str) -> str:
        """Return a column's name in words; ``column=word`` is a word of a column."""
        stem, is_word, word = column.partition("=")
        if is_word:
            said = self.word(stem, word)
            if self._entry(stem).get("alone"):
                return said
            called = self.called(stem)
            return f"{said.lower()} {called}" if said.lower() in DEGREES else f"{called} {said}"
        own = self.own.get(column)
        return own.called if own is not None and own.called else column_words(column)

    def word(self, column: str, word: str) -> str:
        """Return what a word of a column stands for."""
        values = self._entry(column).get("values", {})
        return str(values.get(word, word.replace("_", " ").strip()))

    def value(self, feature: str, value: float, is_part: bool = False) -> str:
        """Return a value of a column with its unit; a part of the rows as a share."""
        if is_part and 0.0 <= value <= 1.0:
            return share(value)
        return in_units(feature, value, self._named_unit(feature))

    def unit(self, feature: str) -> str:
        """Return what stands behind a column's values, with a space before it, or nothing."""
        unit = self._named_unit(feature)
        return f" {unit}" if unit else time_unit(feature)

    def _named_unit(self, feature: str) -> str:
        # A study drafted before may say the currency in the column's words.
        currency = currency_of(feature)
        is_said = bool(currency) and self.called(feature).upper().endswith(f" {currency}")
        return str(self._entry(feature).get("unit", "" if is_said else currency))

    def side(self, column: str, is_high: bool) -> Part:
        """Return what a segment is called that is high or low in a column of numbers."""
        side, entry = "high" if is_high else "low", self._entry(column)
        own = self.own.get(column)
        phrase = getattr(own, side) if own is not None else None
        if phrase:
            return Part("phrase", phrase)
        what = _what(column)
        kinds: tuple[PartKind, ...] = ("as", "who")
        for kind in kinds:
            if f"{side}_{kind}" in entry:
                return Part(kind, entry[f"{side}_{kind}"].format(what=what))
        if side in entry:
            return Part("phrase", entry[side].format(what=what))
        return Part("phrase", self._level(column, is_high))

    def yes_or_no(self, column: str, is_yes: bool) -> Part:
        """Return what somebody is called for whom a column is true, or is not."""
        answer = self._entry(column).get("yes" if is_yes else "no")
        text = str(answer) if answer else self._answer(column, is_yes)
        return Part("with" if text.startswith(("with ", "without ")) else _kind(text), text)

    def of_word(self, column: str, word: str, hedge: str) -> Part:
        """Return what a segment is called by one word of a column.

        Parameters
        ----------
        column, word
            Of gold.
        hedge
            ``mostly``, ``more often``, ``not`` and so on; empty where it is nearly all.
        """
        words = self.word(column, word)
        if self._entry(column).get("alone"):
            kind: PartKind = "state" if hedge in ("", "mostly") else "phrase"
            if hedge == "":
                kind = "who" if self._entry(column).get("noun") else _kind(words)
            return Part(kind, f"{hedge} {words}".strip())
        if self._entry(column).get("place"):
            return Part("phrase" if hedge else "with", f"{hedge} from {words}".strip())
        # "mostly tertiary education", but "plan mostly A", "age 45-54", "favourite class yoga".
        called, is_code = self.called(column), len(words) <= SHORTEST_WORD or words[:1].isdigit()
        if is_code or called.startswith(RANKED):
            return Part("phrase", " ".join(filter(None, [called, hedge, words])))
        return Part("phrase", f"{hedge} {_lower_level(words)} {called}".strip())

    def _answer(self, column: str, is_yes: bool) -> str:
        own = self.own.get(column)
        verb, _, rest = column.partition("_")
        if (own is not None and own.called) or not rest or verb not in (*STATES, *HOLDINGS):
            thing = self.called(column)
            return f"with {thing}" if is_yes else f"without {thing}"
        thing = rest.replace("_", " ")
        if verb in STATES and thing.endswith(PEOPLE):
            return many(thing) if is_yes else f"non-{many(thing)}"
        if verb in STATES or (verb in HOLDINGS and thing.endswith("ed")):
            return thing if is_yes else f"not {thing}"
        return f"with {_article(thing)}{thing}" if is_yes else f"without {_article(thing)}{thing}"

    def _level(self, column: str, is_high: bool) -> str:
        # "many orders" rather than "high number of orders".
        bare = re.sub(r"^(average|median) ", "", self.called(column))
        event = SINCE.sub("", bare)
        if event != bare:
            recent = f"recently {event}" if event.endswith("ed") else f"recent {event}"
            return f"{event} long ago" if is_high else recent
        (high, low), thing = self._degree(column, bare)
        return f"{high if is_high else low} {thing}"

    def _degree(self, column: str, bare: str) -> tuple[tuple[str, str], str]:
        counted = re.sub(r"^(effective )?(number of |different )", "", bare)
        if counted != bare:
            return MANY, f"different {counted}" if bare.startswith("effective") else counted
        if column.endswith("_size"):
            return ("large", "small"), bare.removesuffix(" size")
        unit = time_unit(column)
        stem = bare.removesuffix(unit)
        last = stem.rpartition(" ")[2]
        if unit and last not in OF_TIME:
            return LONG, many(stem) if last in ONE_BY_ONE else stem
        # "many visits" and "many visits per week", but "high charges".
        counted = re.split(r" (?:per|on|of|in) ", bare)[0]
        if unit or (is_plural(counted) and not self._is_money(column, counted)):
            return MANY, bare
        return LONG if last in SPANS else ("high", "low"), bare

    def _is_money(self, column: str, counted: str) -> bool:
        is_named = counted.rpartition(" ")[2] in AMOUNTS or column.endswith("_amount")
        return is_named or bool(self._named_unit(column))

    def _entry(self, column: str) -> dict[str, Any]:
        own = self.own.get(column)
        said = own.model_dump(exclude_none=True) if own is not None else {}
        known = words_of(column)
        values = {**known.get("values", {}), **said.get("values", {})}
        return {**known, **said, "values": values}


def column_words(column: str) -> str:
    """Return a column's name in plain words.

    Examples
    --------
    >>> column_words("basket_spend_mean")
    'average basket spend'
    >>> column_words("category_effective_count")
    'effective number of categories'
    """
    words = plain_words(column)
    if "=" in column:
        return words
    called = words_of(column).get("called")
    words = words.removesuffix(" days")
    if called is not None:
        return str(called).format(what=words)
    for ending, pattern in ENDINGS:
        if words.endswith(ending):
            stem = words.removesuffix(ending)
            return pattern.format(many(stem) if ending in COUNTED else stem)
    return words


def plain_words(column: str) -> str:
    """Return a column's name with spaces: ``department_meat_share`` is ``meat share``."""
    words, _, category = column.partition("=")
    for prefix in PREFIXES:
        words = words.removeprefix(prefix)
    # MonthlyCharges are "monthly charges", and NumWebPurchases the number of web purchases.
    if re.fullmatch(r"([A-Z]?[a-z]+)([A-Z][a-z]+)+", words):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words).lower()
    words = words.replace("_", " ").strip()
    if currency_of(column):
        words = words.rpartition(" ")[0]
    for pattern, said in SHORTENED:
        words = pattern.sub(said, words)
    # A code_region is a region code.
    words = re.sub(r"^code (\w+)$", r"\1 code", words)
    return words + (f" {category}" if category else "")


def currency_of(column: str) -> str:
    """Return the currency that a column's name ends with, or nothing.

    Examples
    --------
    >>> currency_of("monthly_fee_eur")
    'EUR'
    """
    what, _, ending = column.rpartition("_")
    return ending.upper() if what and ending.upper() in CURRENCIES else ""


@lru_cache(maxsize=4_096)
def words_of(column: str) -> dict[str, Any]:
    """Return what ``words.toml`` says of a column: the first pattern that fits counts."""
    # Gender, GENDER and gender are one; a file's own spelling comes first.
    for spelling in dict.fromkeys((column, column.lower())):
        for pattern, words in _known_words().items():
            if fnmatchcase(spelling, pattern):
                return words
    return {}


def _lower_level(words: str) -> str:
    return words.lower() if words.lower() in LEVELS else words


def _kind(words: str) -> PartKind:
    # "technicians" are people, who may be older; "retired" is what they are.
    return "who" if words.endswith("s") and " " not in words else "state"


def _what(column: str) -> str:
    return plain_words(column).removesuffix(" share")


def _article(thing: str) -> str:
    # What stands in the plural, or cannot be counted, has none.
    if thing.endswith(("s", "ing", "children", "insurance", "access", "data", "breakfast")):
        return ""
    return "an " if thing[0] in "aeiou" else "a "


@cache
def _known_words() -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return known
