"""The shortest rule that a person can keep in mind for each segment, and as SQL.

A rule is a few conditions on gold's own columns with rounded thresholds, all of which must hold.
It is found by a beam search for the highest F1 of one segment against the rest; of the lengths
tried the shortest wins that is nearly as good as the best. A null keeps no condition but "is not
known", in Python as in SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models_py.base.arrays import BoolArray, Float32Array, FloatArray, IntArray
from models_py.base.rounding import is_constant
from models_py.base.sql_text import literal
from models_py.database.connection import quoted
from models_py.base.numbers import exact
from models_py.describe.kinds import is_measured
from models_py.describe.words import Vocabulary
from models_py.features.matrix import FeatureMatrix
from models_py.features.recipes import Recipe, missing_numbers

SEARCH_ROWS = 4_000
BEAM = 8
MOST_CONDITIONS = 4
NEARLY = 0.02
THRESHOLDS = 24
UNKNOWN_SHARE = 0.02
TUNING_ROUNDS = 2

Side = Literal["at_least", "under", "unknown"]


@dataclass(frozen=True)
class Condition:
    """One condition on one feature.

    Attributes
    ----------
    place
        Of the feature in the matrix.
    side, threshold
        ``value >= threshold``, ``value < threshold``, or no value at all.
    """

    place: int
    side: Side
    threshold: float = 0.0

    def holds(self, values: FloatArray) -> BoolArray:
        """Return where it holds, shape (rows,), for values of shape (rows, features)."""
        column = values[:, self.place]
        match self.side:
            case "at_least":
                return np.asarray(column >= self.threshold)
            case "under":
                return np.asarray(column < self.threshold)
            case "unknown":
                return np.isnan(column)


@dataclass(frozen=True)
class Rule:
    """What tells one segment from the others.

    Attributes
    ----------
    group
        The segment.
    conditions
        All must hold.
    text, sql
        The same in words, and as a condition on the gold table.
    """

    group: int
    conditions: tuple[Condition, ...]
    text: str
    sql: str

    def holds(self, values: FloatArray) -> BoolArray:
        """Return where all conditions hold, shape (rows,)."""
        held = np.ones(len(values), dtype=bool)
        for condition in self.conditions:
            held &= condition.holds(values)
        return held


@dataclass(frozen=True)
class RuleSet:
    """One rule a segment, in the order in which they are tried.

    Attributes
    ----------
    rules
        The first that holds counts.
    otherwise
        The group of rows that keep none.
    """

    rules: tuple[Rule, ...]
    otherwise: int

    def labels(self, values: FloatArray) -> IntArray:
        """Return the group that the rules give each row, shape (rows,)."""
        result = np.full(len(values), self.otherwise, dtype=np.int64)
        for rule in reversed(self.rules):
            result[rule.holds(values)] = rule.group
        return result

    def case_sql(self, names: Sequence[int]) -> str:
        """Return the SQL expression that gives each gold row a segment.

        Parameters
        ----------
        names
            What to call each group: its segment id.
        """
        whens = "".join(f"\n    when {rule.sql} then {names[rule.group]}" for rule in self.rules)
        return f"case{whens}\n    else {names[self.otherwise]}\nend"


def find_rules(
    values: FloatArray,
    groups: IntArray,
    matrix: FeatureMatrix,
    seed: int,
    smallest: int = 2,
    vocabulary: Vocabulary | None = None,
) -> RuleSet | None:
    """Find a rule for every group.

    Parameters
    ----------
    values
        Shape (rows, features): see :meth:`FeatureMatrix.unscaled`.
    groups
        Shape (rows,): 0..k-1.
    matrix
        Tells the features' columns and kinds.
    seed
        Of the rows that are searched where there are more than 4,000; the order of the rules
        is chosen on all of them.
    smallest
        A group with fewer rows gets no rule: it would tell of single customers.
    vocabulary
        What columns are called.

    Returns
    -------
    RuleSet or None
        None where there are fewer than two groups to be distinguished.
    """
    sizes = np.bincount(groups)
    described = np.flatnonzero(sizes >= smallest)
    if described.size < 2:
        return None
    rows = np.arange(len(groups))
    if rows.size > SEARCH_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SEARCH_ROWS, replace=False))
    searched, labels = values[rows], groups[rows]
    # A threshold would tell of the members that it was made of.
    telling = np.isin(labels, described)
    conditions = candidate_conditions(searched[telling], labels[telling], matrix.recipes_)
    held = np.column_stack([condition.holds(searched) for condition in conditions]).astype(
        np.float32
    )
    sides = {
        kind: at for at, kind in enumerate(dict.fromkeys((c.place, c.side) for c in conditions))
    }
    kinds = np.array(
        [sides[condition.place, condition.side] for condition in conditions], dtype=np.int64
    )
    binary = {place for place, column in enumerate(searched.T) if _is_binary(column)}
    vocabulary = vocabulary or Vocabulary()
    rules = []
    for group in described:
        is_member = labels == group
        if is_member.any() and conditions:
            chosen = [conditions[place] for place in _shortest(held, kinds, is_member)]
            rules.append(_worded(int(group), chosen, matrix.recipes_, binary, vocabulary))
    return _ordered(rules, values, groups)


def candidate_conditions(
    values: FloatArray, groups: IntArray, recipes: Sequence[Recipe]
) -> list[Condition]:
    """Return the conditions to try: round thresholds at quantiles of all rows and each group."""
    conditions = []
    for place, recipe in enumerate(recipes):
        known = values[~np.isnan(values[:, place]), place]
        if not is_constant(known):
            for threshold in _thresholds(values[:, place], known, groups, recipe):
                conditions.append(Condition(place, "at_least", threshold))
                conditions.append(Condition(place, "under", threshold))
        unknown = 1 - known.size / len(values)
        if UNKNOWN_SHARE <= unknown < 1:
            conditions.append(Condition(place, "unknown"))
    return conditions


def condition_sql(condition: Condition, recipe: Recipe, is_binary: bool = False) -> str:
    """Return a condition on the gold table; null is never true."""
    column = quoted(recipe.column)
    is_high = condition.side == "at_least"
    if condition.side == "unknown":
        return _is_missing(recipe)
    match recipe.kind:
        case "indicator":
            is_missing = _is_missing(recipe)
            return is_missing if is_high else f"not ({is_missing})"
        case "category":
            sign = "=" if is_high else "<>"
            text = f"cast({column} as varchar) {sign} {literal(str(recipe.category))}"
        case "ordinal":
            ranks = [(rank >= condition.threshold) == is_high for rank in range(len(recipe.order))]
            words = [word for word, is_in in zip(recipe.order, ranks, strict=True) if is_in]
            text = f"cast({column} as varchar) in ({', '.join(literal(word) for word in words)})"
        case "numeric":
            sign = ">=" if is_high else "<"
            value = f"cast({column} as double)" if is_binary else column
            text = f"{value} {sign} {condition.threshold!r}"
    return f"{text} and not {_is_missing(recipe)}" if recipe.missing else text


def _is_missing(recipe: Recipe) -> str:
    column = quoted(recipe.column)
    tests = [f"{column} is null"]
    numbers = ", ".join(repr(value) for value in missing_numbers(recipe.missing))
    words = ", ".join(literal(value) for value in recipe.missing if isinstance(value, str))
    tests += [f"try_cast({column} as double) in ({numbers})"] if numbers else []
    tests += [f"cast({column} as varchar) in ({words})"] if words else []
    return f"({' or '.join(tests)})" if len(tests) > 1 else tests[0]


def place_words(
    conditions: Sequence[Condition], recipe: Recipe, vocabulary: Vocabulary, is_binary: bool = False
) -> str:
    """Return all conditions of a rule on one feature in words: from here to there at once.

    Parameters
    ----------
    conditions
        On the same feature.
    recipe
        Of the feature.
    vocabulary
        What columns are called.
    is_binary
        Whether the feature is a number that is 0 or 1 in every row.
    """
    column = recipe.column
    words, first = vocabulary.called(column), conditions[0]
    is_high = first.side == "at_least"
    if any(condition.side == "unknown" for condition in conditions):
        return f"{words} not known"
    if recipe.kind == "indicator":
        return f"{words} {'not known' if is_high else 'known'}"
    if recipe.kind == "category":
        word = vocabulary.word(column, str(recipe.category))
        return f"{words} {'is' if is_high else 'is not'} {word}"
    if recipe.kind == "ordinal":
        return f"{words} {_listed_words(conditions, recipe, vocabulary)}"
    if is_binary and not is_measured(column):
        return vocabulary.yes_or_no(column, is_high).words
    edges = {
        "at_least": [c.threshold for c in conditions if c.side == "at_least"],
        "under": [c.threshold for c in conditions if c.side == "under"],
    }
    unit = vocabulary.unit(column)
    parts = [
        f"{name} {exact(column, edge).removesuffix(unit)}{unit}"
        for name, edge in (
            ("at least", max(edges["at_least"], default=None)),
            ("under", min(edges["under"], default=None)),
        )
        if edge is not None
    ]
    return f"{words} {' and '.join(parts)}"


def _listed_words(conditions: Sequence[Condition], recipe: Recipe, vocabulary: Vocabulary) -> str:
    # The numbers that the words were given may mean nothing: the words themselves are said.
    is_in = [
        all((rank >= c.threshold) == (c.side == "at_least") for c in conditions)
        for rank in range(len(recipe.order))
    ]
    inside, outside = (
        [
            vocabulary.word(recipe.column, w)
            for w, kept in zip(recipe.order, is_in, strict=True)
            if kept == wanted
        ]
        for wanted in (True, False)
    )
    if len(inside) <= len(outside) or not outside:
        return f"is {_alternatives(inside)}"
    return f"is not {_alternatives(outside)}"


def _alternatives(words: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _thresholds(
    column: FloatArray, known: FloatArray, groups: IntArray, recipe: Recipe
) -> list[float]:
    if recipe.kind in ("category", "indicator") or _is_binary(known):
        return [0.5]
    if recipe.kind == "ordinal":
        return [rank - 0.5 for rank in range(1, len(recipe.order))]
    shares = np.linspace(0, 1, THRESHOLDS + 2)[1:-1]
    edges = [np.quantile(known, shares)]
    for group in np.unique(groups):
        members = column[(groups == group) & ~np.isnan(column)]
        if members.size:
            edges.append(np.quantile(members, [0.05, 0.1, 0.2, 0.8, 0.9, 0.95]))
    rounded = np.unique([_rounded(edge) for edge in np.concatenate(edges)])
    low, high = known.min(), known.max()
    return [float(edge) for edge in rounded if low < edge <= high]


def _rounded(value: float) -> float:
    """Return a value with two digits that count."""
    return float(f"{value:.2g}")


def _is_binary(column: FloatArray) -> bool:
    return bool(np.isin(column[~np.isnan(column)], (0.0, 1.0)).all())


def _shortest(held: Float32Array, kinds: IntArray, is_member: BoolArray) -> tuple[int, ...]:
    # One beam a length: the best sets of conditions and their F1.
    members = is_member.astype(np.float32)
    best: list[tuple[float, tuple[int, ...]]] = []
    beam: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for _ in range(MOST_CONDITIONS):
        beam = _extended(held, kinds, members, beam)
        best.append(_tuned(held, kinds, members, beam[0]))
    top = max(score for score, _ in best)
    return next(chosen for score, chosen in best if score >= top - NEARLY)


def _extended(
    held: Float32Array,
    kinds: IntArray,
    members: Float32Array,
    beam: list[tuple[float, tuple[int, ...]]],
) -> list[tuple[float, tuple[int, ...]]]:
    # Sets that differ in their thresholds only are one place of the beam, so that it keeps
    # sets that differ in what they look at.
    results: dict[frozenset[int], tuple[float, tuple[int, ...]]] = {}
    for _, chosen in beam:
        scores = _f1_scores(held, members, list(chosen))
        for added in _best_of_each(scores, kinds):
            conditions = tuple(sorted({*chosen, int(added)}))
            key = frozenset(kinds[list(conditions)].tolist())
            candidate = (float(scores[added]), conditions)
            if key not in results or _rank(candidate) < _rank(results[key]):
                results[key] = candidate
    return sorted(results.values(), key=_rank)[:BEAM]


def _tuned(
    held: Float32Array,
    kinds: IntArray,
    members: Float32Array,
    best: tuple[float, tuple[int, ...]],
) -> tuple[float, tuple[int, ...]]:
    # One threshold after the other is moved to its best place while the others stand.
    for _ in range(TUNING_ROUNDS):
        for place in range(len(best[1])):
            others = [item for at, item in enumerate(best[1]) if at != place]
            scores = _f1_scores(held, members, others)
            scores[kinds != kinds[best[1][place]]] = -1.0
            moved = int(np.argmax(scores))
            if scores[moved] > best[0]:
                best = (float(scores[moved]), (*others[:place], moved, *others[place:]))
    return best


def _f1_scores(held: Float32Array, members: Float32Array, chosen: list[int]) -> FloatArray:
    """Return the F1 of the rows that keep the chosen conditions and each further one."""
    # Plain sums of the rows kept: at this size threads of a matrix product only wait.
    is_kept = held[:, chosen].min(axis=1, initial=1.0) > 0
    rows, is_hit = held[is_kept], members[is_kept] > 0
    counts, hits = rows.sum(axis=0), rows[is_hit].sum(axis=0)
    scores = 2 * hits.astype(np.float64) / (counts + float(members.sum()))
    return np.asarray(np.round(scores, 9))


def _best_of_each(scores: FloatArray, kinds: IntArray) -> IntArray:
    order = np.lexsort((np.arange(scores.size), -scores, kinds))
    return np.asarray(order[np.unique(kinds[order], return_index=True)[1]])


def _rank(entry: tuple[float, tuple[int, ...]]) -> tuple[float, int, tuple[int, ...]]:
    return (-entry[0], len(entry[1]), entry[1])


def _worded(
    group: int,
    conditions: Sequence[Condition],
    recipes: Sequence[Recipe],
    binary: Collection[int],
    vocabulary: Vocabulary,
) -> Rule:
    by_place: dict[int, list[Condition]] = {}
    for condition in conditions:
        by_place.setdefault(condition.place, []).append(condition)
    words = [
        place_words(own, recipes[place], vocabulary, place in binary)
        for place, own in by_place.items()
    ]
    parts = [condition_sql(c, recipes[c.place], c.place in binary) for c in conditions]
    return Rule(group, tuple(conditions), " and ".join(words), " and ".join(parts))


def _ordered(rules: list[Rule], values: FloatArray, groups: IntArray) -> RuleSet:
    # The surest of the rows that are left comes first; what none keeps goes to the group that
    # is the most frequent there.
    left = np.ones(len(groups), dtype=bool)
    held = {rule.group: rule.holds(values) for rule in rules}
    ordered: list[Rule] = []
    waiting = list(rules)
    while waiting:
        sure = [_precision(held[rule.group] & left, groups == rule.group) for rule in waiting]
        chosen = waiting.pop(int(np.argmax(sure)))
        ordered.append(chosen)
        left &= ~held[chosen.group]
    rest = groups[left] if left.any() else groups
    return RuleSet(tuple(ordered), int(np.bincount(rest).argmax()))


def _precision(is_covered: BoolArray, is_member: BoolArray) -> float:
    count = int(is_covered.sum())
    return float((is_covered & is_member).sum() / count) if count else 0.0
