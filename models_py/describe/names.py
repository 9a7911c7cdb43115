"""Names and sentences for segments, from what stands out in their profiles."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base.errors import StudyError
from models_py.base.plurals import many
from models_py.describe.kinds import Kind
from models_py.describe.traits import Trait, find_traits
from models_py.describe.words import Part, Vocabulary

if TYPE_CHECKING:
    import pandas as pd

    from models_py.studies.study import Study

MOST_WORDS = 6
"""Words of a name, where a shorter pair of traits is there."""

MOST_TRAITS = 2
AVERAGE = "near the average"


@dataclass(frozen=True)
class Naming:
    """A segment's name and the sentence under it."""

    name: str
    description: str


@dataclass(frozen=True)
class Speech:
    """How a study's columns and rows are spoken of.

    Attributes
    ----------
    kinds
        Of the columns that may name a segment.
    vocabulary
        What columns are called.
    who
        What a row is, in the plural, where no column tells more.
    """

    kinds: Mapping[str, Kind]
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    who: str = "customers"


def name_segments(
    profiles: pd.DataFrame,
    categories: pd.DataFrame,
    top: int,
    speech: Speech,
    given: Mapping[int, str] | None = None,
    large: Collection[int] = (),
    segment_ids: Collection[int] = (),
) -> dict[int, Naming]:
    """Name every segment by its two clearest traits at most; names are unique.

    Parameters
    ----------
    profiles
        Rows of ``results.segment_features``, of all segments.
    categories
        Rows of ``results.segment_categories``. A segment with rows of either and no figure that
        is known is not described.
    top
        How many traits of each side the description tells.
    speech
        How columns and rows are spoken of.
    given
        Names that a person gave, by segment id.
    large
        Segments that are not described although they have members enough.
    segment_ids
        Segments that may have no row in either, where nothing of them can be counted.
    """
    given = given or {}
    namings: dict[int, Naming] = {}
    taken = set(given.values())
    numbers = sorted({*profiles["segment_id"], *categories["segment_id"], *segment_ids})
    for number in map(int, numbers):
        profile = profiles[profiles["segment_id"] == number]
        words = categories[categories["segment_id"] == number]
        traits = find_traits(profile, words, speech.kinds, speech.vocabulary)
        figures = [profile["mean"].notna(), words["share"].notna()]
        is_profiled = not any(map(len, figures)) or any(known.any() for known in figures)
        if number in given:
            name = given[number]
        elif is_profiled:
            names = possible_names([trait.part for trait in traits], speech.who)
            name = _unique(names or [f"all {speech.who}" if len(numbers) == 1 else AVERAGE], taken)
        else:
            size = "" if number in large else "small "
            name = _unique([f"{size}group of {speech.who}"], taken)
        taken.add(name)
        text = WITHHELD_WITH if number in large else WITHHELD
        if is_profiled:
            text = described(traits, top)
        namings[number] = Naming(name, text)
    return namings


WITHHELD = "too few members to be profiled: figures are withheld"
WITHHELD_WITH = "figures are withheld: those of a smaller segment would follow from them"


def given_names(path: Path, study: str) -> dict[int, str]:
    """Return the names that a person gave to a study's segments.

    Parameters
    ----------
    path
        A TOML file with one table a study: ``segment_id = "name"``. None is needed.
    study
        Its name.

    Raises
    ------
    StudyError
        The file cannot be read, or a key, a name or a repeated name is wrong; says which.
    """
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8")).get(study, {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: not readable as TOML: {error}") from error
    if not isinstance(content, dict):
        raise StudyError(f'{path}: {study} is a table: [{study}], then lines such as 3 = "name"')
    names: dict[int, str] = {}
    for key, name in content.items():
        if not key.isdigit():
            raise StudyError(f"{path}: [{study}] '{key}': a segment id is a whole number")
        if not isinstance(name, str) or not name.strip():
            raise StudyError(f"{path}: [{study}] {key}: a name is a text that is not empty")
        if name in names.values():
            raise StudyError(f"{path}: [{study}] {key}: '{name}' stands twice; names are unique")
        names[int(key)] = name
    return names


CUSTOMERS = frozenset({"", "cust", "kd", "kunde", "kunden", "email", "user email", "name"})
"""What keys of customers are called, without the word for key."""


def rows_of(entity: str) -> str:
    """Return what the rows of an entity column are: ``customer_id`` are ``customers``."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", entity)
    words = re.sub(r"[_.\- ]+", " ", spaced).strip().lower()
    words = re.sub(r"( |^)(id|key|code|number|no|nr)$", "", words)
    if words in CUSTOMERS:
        return "customers"
    return words if words.endswith("s") else many(words)


def study_rows(study: Study) -> str:
    """Return what a study's rows are, in the plural: its own word, or its key's."""
    return study.describe.rows or rows_of(study.entity)


def possible_names(parts: Sequence[Part], who: str) -> list[str]:
    """Return the names that traits can make, the best first.

    Parameters
    ----------
    parts
        What each trait gives to a name, the clearest first. Two columns that say the same
        count once.
    who
        What a row is, in the plural.
    """
    distinct = list(dict.fromkeys(parts))
    pairs = [
        (first + second, _joined([distinct[first], distinct[second]], who))
        for first, second in combinations(range(len(distinct)), MOST_TRAITS)
    ]
    pairs.sort(key=lambda pair: pair[0])
    names = [name for _, name in pairs]
    short = [name for name in names if len(name.split()) <= MOST_WORDS]
    # A clear trait alone says more than a long pair.
    single = [_joined([part], who) for part in distinct]
    return list(dict.fromkeys([*short, *single, *names]))


def described(traits: Sequence[Trait], top: int) -> str:
    """Return the figures behind a segment's clearest traits, at most so many of each side."""
    sides = (
        ("high", [t for t in traits if not t.is_of_rows and t.is_high]),
        ("low", [t for t in traits if not t.is_of_rows and not t.is_high]),
        ("more often", [t for t in traits if t.is_of_rows and t.is_high]),
        ("less often", [t for t in traits if t.is_of_rows and not t.is_high]),
    )
    parts = [
        f"{side}: " + ", ".join(f"{t.title} {t.text} (all {t.everybody})" for t in some[:top])
        for side, some in sides
        if some
    ]
    return "; ".join(parts) or "no feature stands out from the average"


def _joined(parts: Sequence[Part], who: str) -> str:
    words = {kind: [p.words for p in parts if p.kind == kind] for kind in PART_ORDER}
    # "older single clients" and "married women", but "large families, not married".
    plain = [state for state in words["state"] if " " not in state]
    before = [*words["as"], *plain] if words["as"] or words["who"] else []
    after = [state for state in words["state"] if state not in before]
    people = " and ".join(words["who"]) or (who if before else "")
    text = " ".join([*before, people]).strip()
    if words["with"] and not text and after == plain:
        text, after = ", ".join(after), []
    if words["with"] and text and words["with"][0].startswith(("with", "from ")):
        after = [f"{text} {words['with'][0]}", *words["with"][1:], *after]
    else:
        after = [text, *after, *words["with"]]
    return ", ".join(part for part in [*after, *words["phrase"]] if part)


PART_ORDER = ("as", "state", "who", "with", "phrase")


def _unique(names: Sequence[str], taken: set[str]) -> str:
    # "low wines, low fruits" is no other name than "low fruits, low wines".
    said = {frozenset(name.split(", ")) for name in taken}
    for name in names:
        if frozenset(name.split(", ")) not in said:
            return name
    number = 2
    while f"{names[0]} ({number})" in taken:
        number += 1
    return f"{names[0]} ({number})"
