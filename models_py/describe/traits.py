"""What a segment has more or less of than everybody, in words that its own figures bear out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.numbers import share
from models_py.describe.kinds import Kind
from models_py.describe.withholding import NO_CATEGORY, RARE
from models_py.describe.words import Part, Vocabulary

if TYPE_CHECKING:
    import pandas as pd

CLEAR_Z = 0.25
NEARLY_ALL, NEARLY_NONE, HALF = 0.95, 0.05, 0.5
UNKNOWN_WORDS = frozenset(
    {NO_CATEGORY, "", "missing", "unknown", "undefined", "n/a", "nan", "null", "xx", "?"}
)
"""Words that stand for no answer: whether one is missing is no finding about a segment."""


@dataclass(frozen=True)
class Trait:
    """One column in which a segment differs from everybody.

    Attributes
    ----------
    feature
        The column, or ``column=word``.
    z
        The difference of the means in population standard deviations; of a word or a yes the
        difference of the shares, by the deviation of the population's share.
    value, population
        Mean, or share of the rows with a known answer.
    part
        What it gives to the name.
    title
        What ``value`` is, in words.
    text, population_text
        Both values with their unit.
    unit
        That of a mean, with a space before it.
    is_of_rows
        Whether ``value`` is a share of the rows rather than a mean.
    """

    feature: str
    z: float
    value: float
    population: float
    part: Part
    title: str
    text: str
    population_text: str
    is_of_rows: bool
    unit: str = ""

    @property
    def everybody(self) -> str:
        """The population's value without the unit, which stands behind the segment's."""
        return self.population_text.removesuffix(self.unit)

    @property
    def is_high(self) -> bool:
        """Whether the segment has more of it."""
        return self.z > 0


def find_traits(
    profile: pd.DataFrame,
    categories: pd.DataFrame,
    kinds: Mapping[str, Kind],
    vocabulary: Vocabulary,
) -> list[Trait]:
    """Return the clear traits of one segment, the clearest first, one a column.

    Parameters
    ----------
    profile
        Rows of ``results.segment_features`` of the segment.
    categories
        Its rows of ``results.segment_categories``.
    kinds
        Of the columns to look at. A column of words is described by their shares alone,
        whatever its numbers are.
    vocabulary
        What columns are called.
    """
    traits = [
        _of_mean(str(row["feature"]), row, kinds[str(row["feature"])], vocabulary)
        for row in profile.to_dict("records")
        if kinds.get(str(row["feature"])) in ("number", "boolean")
        and abs(_number(row["z"])) >= CLEAR_Z
    ]
    if not categories.empty:
        for column, rows in categories.groupby("feature", sort=False):
            if kinds.get(str(column)) == "words":
                traits += _of_words(str(column), rows, vocabulary)
    return sorted(traits, key=lambda trait: (-abs(trait.z), trait.feature))


def hedge(value: float, is_high: bool) -> str:
    """Return how far a share of the rows may be said of the whole segment.

    Examples
    --------
    >>> hedge(0.98, True), hedge(0.6, True), hedge(0.3, True)
    ('', 'mostly', 'more often')
    >>> hedge(0.02, False), hedge(0.3, False)
    ('not', 'less often')
    """
    if is_high:
        return "" if value >= NEARLY_ALL else "mostly" if value >= HALF else "more often"
    return "not" if value <= NEARLY_NONE else "less often"


def _of_mean(feature: str, row: Mapping[Any, Any], kind: Kind, vocabulary: Vocabulary) -> Trait:
    z, mean, population = (_number(row[name]) for name in ("z", "mean", "population_mean"))
    is_part = kind == "boolean"
    return Trait(
        feature=feature,
        z=z,
        value=mean,
        population=population,
        part=_yes_or_no(feature, mean, z > 0, vocabulary)
        if is_part
        else vocabulary.side(feature, z > 0),
        title=vocabulary.yes_or_no(feature, True).words if is_part else vocabulary.called(feature),
        text=vocabulary.value(feature, mean, is_part),
        population_text=vocabulary.value(feature, population, is_part),
        is_of_rows=is_part,
        unit=vocabulary.unit(feature),
    )


def _yes_or_no(feature: str, mean: float, is_high: bool, vocabulary: Vocabulary) -> Part:
    # The commoner answer is said, unless it is the rarer one here than among everybody.
    said = hedge(mean, is_high)
    if said == "not":
        return vocabulary.yes_or_no(feature, False)
    if said == "less often" and mean < HALF:
        part = vocabulary.yes_or_no(feature, False)
        return Part(part.kind, f"mostly {part.words}")
    part = vocabulary.yes_or_no(feature, True)
    kind = part.kind if said in ("", "mostly") else "phrase"
    return Part(kind, f"{said} {part.words}".strip())


def _of_words(column: str, rows: pd.DataFrame, vocabulary: Vocabulary) -> list[Trait]:
    # The word that most of the segment has, where it has it more often than everybody; else the
    # word with the clearest difference.
    shares = _known_shares(rows)
    clear = [
        (word, value, population, z)
        for word, value, population in shares
        if word != RARE and abs(z := _distance(value, population)) >= CLEAR_Z
    ]
    if not clear:
        return []
    raised = [item for item in clear if item[3] > 0]
    common = [item for item in raised if item[1] >= HALF]
    word, value, population, z = max(
        common or raised or clear, key=lambda item: (abs(item[3]), item[0])
    )
    return [
        Trait(
            feature=f"{column}={word}",
            z=z,
            value=value,
            population=population,
            part=vocabulary.of_word(column, word, hedge(value, z > 0)),
            title=vocabulary.called(f"{column}={word}"),
            text=share(value),
            population_text=share(population),
            is_of_rows=True,
        )
    ]


def _known_shares(rows: pd.DataFrame) -> list[tuple[str, float, float]]:
    # Of the rows with an answer, so that a segment of many unanswered ones has no less of all.
    words = rows["category"].astype(str)
    known = rows[~words.str.lower().isin(UNKNOWN_WORDS)]
    total, everybody = known["share"].sum(), known["population_share"].sum()
    if total <= 0 or everybody <= 0:
        return []
    return [
        (str(word), float(value) / total, float(population) / everybody)
        for word, value, population in zip(
            known["category"], known["share"], known["population_share"], strict=True
        )
    ]


def _distance(value: float, population: float) -> float:
    spread = np.sqrt(population * (1.0 - population))
    return float((value - population) / spread) if spread > 0 else 0.0


def _number(value: object) -> float:
    return float("nan") if value is None else float(str(value))
