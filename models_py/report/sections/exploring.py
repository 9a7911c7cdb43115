"""What the data themselves say: findings in sentences, columns of words, words beside numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from models_py.base.arrays import FloatArray
from models_py.base.numbers import listed, plain, share, shortened
from models_py.describe.effects import correlation_ratio
from models_py.describe.withholding import NO_CATEGORY, RARE, rare_words
from models_py.features.recipes import as_words
from models_py.report.content import Figure, Section, Table
from models_py.report.drawing import joined, tag
from models_py.report.facts import NO, YES, Facts, known_numbers
from models_py.report.sections.data import number_columns
from models_py.report.shape_charts import Bar, draw_bars

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS, MOST_CATEGORIES, MOST_PAIRS = 12, 8, 8
STRONG_CORRELATION, STRONG_RATIO, DOMINANT, SKEWED = 0.5, 0.1, 0.9, 1.5
"""From where on a finding is worth a sentence: rank correlation, part of a number's variance
between categories (Cohen's large effect is 0.14), share of one category, mean over median."""


@dataclass(frozen=True)
class Pair:
    """How much of a number's variance lies between the categories of a column of words."""

    words: str
    number: str
    ratio: float


def exploring_section(facts: Facts) -> Section:
    """Return what the rows show before anything is clustered."""
    numbers = facts.described_gold[number_columns(facts)]
    words = word_columns(facts)
    pairs = words_beside_numbers(words, numbers)
    section = Section("explored", "What the data say", points=findings(facts, words, numbers))
    if words.empty or not len(words.columns):
        section.left_out.append("No categories: gold has no column of words with few values.")
    else:
        section.figures.append(_categories(facts, words))
    if pairs:
        rows = [[facts.called(p.words), facts.called(p.number), share(p.ratio)] for p in pairs]
        title = "How much of a number's variance lies between the categories"
        section.tables.append(
            (title, Table(["words", "number", "between"], rows, frozenset({0, 1})))
        )
    return section


def word_columns(facts: Facts) -> pd.DataFrame:
    """Return columns of words and the label, of the rows that are drawn; rare words as one."""
    import pandas as pd

    kept = facts.categories.loc[facts.described_gold.index]
    columns: dict[str, pd.Series[Any]] = {}
    label = facts.study.label
    if label is not None and label in facts.described_gold:
        columns[label] = facts.described_gold[label]
    columns |= {str(name): kept[name] for name in kept.columns}
    named = {}
    for name, column in list(columns.items())[:MOST_COLUMNS]:
        text = as_words(column).astype("string").fillna(NO_CATEGORY)
        rare = rare_words(column, facts.least)
        named[name] = text.where(~text.isin(list(rare)), RARE)
    return pd.DataFrame(named, index=facts.described_gold.index)


def words_beside_numbers(words: pd.DataFrame, numbers: pd.DataFrame) -> list[Pair]:
    """Return the pairs of a column of words and one of numbers that go together, best first.

    The measure is the squared correlation ratio.
    """
    coded = words.astype("category")
    pairs = [
        Pair(str(word), str(name), ratio)
        for word in coded.columns
        for name in numbers.columns
        if (ratio := _ratio(coded[word], numbers[name])) >= 0.01
    ]
    return sorted(pairs, key=lambda pair: -pair.ratio)[:MOST_PAIRS]


def _ratio(words: pd.Series[Any], numbers: pd.Series[Any]) -> float:
    import pandas as pd

    codes = np.asarray(pd.factorize(words)[0], dtype=np.int64)
    return correlation_ratio(codes, numbers.to_numpy(dtype=np.float64, na_value=np.nan))


def findings(facts: Facts, words: pd.DataFrame, numbers: pd.DataFrame) -> list[str]:
    """Return what stands out of the data, a sentence each; nothing where nothing does."""
    sentences = [
        _label_balance(facts, words),
        _missing(facts, numbers),
        _together(facts, numbers),
        *_words_with_numbers(facts, words, numbers),
        *_dominant(facts, words),
        _skewed(facts, numbers),
    ]
    return [sentence for sentence in sentences if sentence]


def _label_balance(facts: Facts, words: pd.DataFrame) -> str:
    label = facts.study.label
    if label is None or label not in words:
        return ""
    shares = words[label][words[label] != NO_CATEGORY].value_counts(normalize=True)
    if shares.empty:
        return ""
    said = {facts.word(label, str(word)): share(float(part)) for word, part in shares.items()}
    if set(shares.index.str.lower()) <= {YES, NO}:
        parts = listed([f"{part} are “{word}”" for word, part in said.items()])
        return f"Of the known answers {parts}."
    parts = listed([f"{word} {part}" for word, part in list(said.items())[:6]])
    return f"The known answer, {facts.called(label)}, is {parts}."


def _missing(facts: Facts, numbers: pd.DataFrame) -> str:
    missing = numbers.isna().mean()
    missing = missing[missing < 1].sort_values(ascending=False)
    if missing.empty:
        return ""
    if missing.iloc[0] == 0:
        return "No column of numbers lacks a value."
    name = facts.called(missing.index[0])
    return f"{_capital(name)} lacks a value in {share(float(missing.iloc[0]))} of the rows."


def _together(facts: Facts, numbers: pd.DataFrame) -> str:
    if numbers.shape[1] < 2:
        return ""
    related = numbers.astype(float).corr(method="spearman", min_periods=max(3, facts.least))
    values: FloatArray = np.nan_to_num(related.to_numpy(dtype=np.float64, copy=True))
    np.fill_diagonal(values, 0.0)
    row, column = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    strength = float(values[row, column])
    if abs(strength) < STRONG_CORRELATION:
        return ""
    first, second = (facts.called(related.columns[int(place)]) for place in (row, column))
    how = "rise together" if strength > 0 else "go against each other"
    return f"{_capital(first)} and {second} {how} (rank correlation {strength:.2f})."


def _words_with_numbers(facts: Facts, words: pd.DataFrame, numbers: pd.DataFrame) -> list[str]:
    found = [pair for pair in words_beside_numbers(words, numbers) if pair.ratio >= STRONG_RATIO]
    return [
        f"{_capital(facts.called(pair.number))} goes with {facts.called(pair.words)}:"
        f" {share(pair.ratio)} of its variance lies between the categories."
        for pair in found[:2]
    ]


def _dominant(facts: Facts, words: pd.DataFrame) -> list[str]:
    sentences = []
    for name in words.columns:
        shares = words[name].value_counts(normalize=True)
        if name != facts.study.label and len(shares) > 1 and shares.iloc[0] >= DOMINANT:
            sentences.append(
                f"{_capital(facts.called(name))} is"
                f" {facts.word(str(name), str(shares.index[0]))} in {share(float(shares.iloc[0]))}"
                " of the rows, and tells little."
            )
    return sentences[:2]


def _skewed(facts: Facts, numbers: pd.DataFrame) -> str:
    ratios = {}
    for name in numbers.columns:
        values = known_numbers(numbers[name])
        if values.size >= max(2, facts.least) and (middle := float(np.median(values))) > 0:
            ratios[str(name)] = float(values.mean()) / middle
    if not ratios:
        return ""
    name, ratio = max(ratios.items(), key=lambda item: item[1])
    if ratio < SKEWED:
        return ""
    return (
        f"{_capital(facts.called(name))} is uneven: large values pull its mean to {plain(ratio)}"
        " times its median."
    )


def _categories(facts: Facts, words: pd.DataFrame) -> Figure:
    cells, rows, text = [], [], []
    for name in words.columns:
        shares = words[name].value_counts(normalize=True)
        top = shares.head(MOST_CATEGORIES)
        bars = [
            Bar(
                shortened(facts.word(str(name), str(word)), 40),
                share(float(part)),
                float(part) / float(top.iloc[0]),
            )
            for word, part in top.items()
        ]
        said = ", ".join(f"{bar.title} {bar.text}" for bar in bars)
        title = facts.called(name)
        inside = joined([tag("div", title, class_="bar-title"), draw_bars(bars, said)])
        cells.append(tag("div", inside, class_="spark-cell"))
        missing = share(float((words[name] == NO_CATEGORY).mean()))
        rows.append([title, missing, said])
        text.append(f"{title}: {said}")
    return Figure(
        "categories",
        "Columns of words",
        Markup(tag("div", joined(cells), class_="sparks")),
        f"Shares of the categories. {'; '.join(text)}.",
        note="Share of the rows; the label, where the study has one, is the first.",
        table=Table(["column", "missing", "shares"], rows, frozenset({0, 2})),
        is_wide=True,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
