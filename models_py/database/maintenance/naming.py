"""Which names count as temporary or as a backup copy: whole words and dates, never parts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import WarehouseError, near_match

TEMP, BACKUP = "temp", "backup"
SHIPPED_RULES = Path(__file__).with_name("rules.toml")
USER_RULES_NAME = "cleanup_rules.toml"

_DATE = r"(?P<year>(?:19|20)[0-9]{2})(?P<part>[_-]?)(?P<month>[0-9]{2})(?P=part)(?P<day>[0-9]{2})"
_TIME = r"(?:[_T-]?[0-9]{2}[:_-]?[0-9]{2}(?:[:_-]?[0-9]{2}(?:[0-9]{1,6})?)?)?"
_LAST_DATE = re.compile(rf"(?:^|[\W_]){_DATE}{_TIME}$", re.IGNORECASE)
_FIRST_DATE = re.compile(rf"^{_DATE}{_TIME}(?=$|[\W_])", re.IGNORECASE)
_RULE_KEYS = {"class", "reason", "first_word", "last_word", "date", "pattern"}


@dataclass(frozen=True)
class Rule:
    """One way in which a name shows that its table was not meant to stay."""

    kind: str
    reason: str
    first_words: frozenset[str] = frozenset()
    last_words: frozenset[str] = frozenset()
    by_date: bool = False
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Verdict:
    """What a name says.

    Attributes
    ----------
    kind
        ``"temp"`` or ``"backup"``.
    reason
        The rule's words with what they were found on.
    dated
        The day in the name, where there is one.
    """

    kind: str
    reason: str
    dated: date | None = None


@dataclass(frozen=True)
class NamingRules:
    """All rules in the order in which they are tried, and what is never listed."""

    rules: tuple[Rule, ...]
    protected: tuple[str, ...] = ()

    def judge(self, name: str) -> Verdict | None:
        """Return what a table's name says, or None where it says nothing."""
        core, dated = without_dates(name)
        words = [word.lower() for word in re.findall(r"[^\W_]+", core)]
        for rule in self.rules:
            result = _fits(rule, name, words, dated)
            if result is not None:
                reason = f"{rule.reason} ({result})" if result else rule.reason
                return Verdict(rule.kind, reason, dated)
        return None

    def protects(self, schema: str, name: str) -> bool:
        """Return whether the protection list names a relation."""
        return any(matches(pattern, schema, name) for pattern in self.protected)


def _fits(rule: Rule, name: str, words: list[str], dated: date | None) -> str | None:
    if rule.pattern is not None and rule.pattern.fullmatch(name):
        return ""
    if words and words[0] in rule.first_words:
        return f"first word '{words[0]}'"
    if words and words[-1] in rule.last_words:
        return f"last word '{words[-1]}'"
    if rule.by_date and dated is not None:
        return f"dated {dated.isoformat()}"
    return None


def without_dates(name: str) -> tuple[str, date | None]:
    """Return a name without the date at its end or start, and the day (the end's first)."""
    result: date | None = None
    for pattern in (_LAST_DATE, _FIRST_DATE):
        match = pattern.search(name)
        day = _calendar_day(match) if match else None
        if match and day:
            name = name[: match.start()] + name[match.end() :]
            result = result or day
    return name, result


def _calendar_day(match: re.Match[str]) -> date | None:
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None


def matches(pattern: str, schema: str, name: str) -> bool:
    """Return whether a pattern with ``*`` and ``?`` names a relation, in any case.

    A pattern is compared with ``schema.name``, and without a dot in it with the name alone.
    """
    wanted = pattern.lower().replace("[", "[[]")
    full = f"{schema}.{name}".lower()
    return fnmatchcase(full, wanted) or ("." not in wanted and fnmatchcase(name.lower(), wanted))


def load_rules(extra: Path | None = None) -> NamingRules:
    """Read the shipped rules and the user's own.

    Parameters
    ----------
    extra
        A file of further rules; without it ``cleanup_rules.toml`` of the home, if there.

    Raises
    ------
    WarehouseError
        A file is missing or says something that is no rule; names file, key and value.
    """
    files = [SHIPPED_RULES]
    own = settings.home() / USER_RULES_NAME
    if extra is not None:
        files.append(extra)
    elif own.is_file():
        files.append(own)
    read = [_read_file(file) for file in files]
    return NamingRules(
        tuple(rule for part in read for rule in part.rules),
        tuple(pattern for part in read for pattern in part.protected),
    )


def _read_file(path: Path) -> NamingRules:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WarehouseError(f"cannot read the rules {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WarehouseError(f"{path} is not readable as TOML: {error}") from error
    _known_keys(path, "the file", content, {"rule", "protect"})
    protect = content.get("protect", {})
    if not isinstance(protect, dict):
        raise WarehouseError(f"{path}: [protect] must be a section, not {protect!r}")
    _known_keys(path, "[protect]", protect, {"relations"})
    sections = content.get("rule", [])
    if not isinstance(sections, list):
        raise WarehouseError(f"{path}: write each rule as a section [[rule]]")
    return NamingRules(
        tuple(_read_rule(path, number, section) for number, section in enumerate(sections, 1)),
        tuple(_texts(path, "[protect] relations", protect.get("relations", []))),
    )


def _read_rule(path: Path, number: int, section: Mapping[str, object]) -> Rule:
    where = f"rule {number}"
    _known_keys(path, where, section, _RULE_KEYS)
    kind = section.get("class")
    if kind not in (TEMP, BACKUP):
        raise WarehouseError(f"{path}: {where}: class must be 'temp' or 'backup', not {kind!r}")
    if not isinstance(section.get("date", False), bool):
        raise WarehouseError(f"{path}: {where}: date must be true or false")
    reason = section.get("reason", "named by a rule")
    rule = Rule(
        kind=str(kind),
        reason=str(reason),
        first_words=frozenset(_words(path, where, section, "first_word")),
        last_words=frozenset(_words(path, where, section, "last_word")),
        by_date=bool(section.get("date", False)),
        pattern=_pattern(path, where, section.get("pattern")),
    )
    if not (rule.first_words or rule.last_words or rule.by_date or rule.pattern):
        raise WarehouseError(
            f"{path}: {where} fits no name: give first_word, last_word, date or pattern"
        )
    return rule


def _known_keys(path: Path, where: str, section: Mapping[str, object], allowed: set[str]) -> None:
    for key in section:
        if key not in allowed:
            raise WarehouseError(
                f"{path}: {where} has an unknown key '{key}'{near_match(key, allowed)}"
                f" (allowed: {', '.join(sorted(allowed))})"
            )


def _words(path: Path, where: str, section: Mapping[str, object], key: str) -> list[str]:
    words = [word.lower() for word in _texts(path, f"{where} {key}", section.get(key, []))]
    for word in words:
        if not re.fullmatch(r"[^\W_]+", word):
            raise WarehouseError(
                f"{path}: {where} {key}: '{word}' is not one word of letters and digits"
                " (use pattern for more)"
            )
    return words


def _texts(path: Path, where: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise WarehouseError(f"{path}: {where} must be a list of texts, not {value!r}")
    return [str(item) for item in value]


def _pattern(path: Path, where: str, value: object) -> re.Pattern[str] | None:
    if value is None:
        return None
    try:
        return re.compile(str(value), re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise WarehouseError(f"{path}: {where} pattern {value!r}: {error}") from error
