"""A chain of arithmetic on one row, as one SQL statement that scores inside DuckDB or Spark.

Imputing, clipping, logarithms, Yeo-Johnson powers, categories, scaling, principal components,
the nearest center and the densities of a mixture are all arithmetic on one row. The statement does
the same steps in the same order as the Python chain, with numbers written so that they read back
to the last bit. Spark reads the same text with :data:`SPARK_READS_IT`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.rounding import LARGEST
from models_py.base.sql_text import literal, number
from models_py.database.connection import quoted
from models_py.database.gold import is_number_type
from models_py.database.scoring_mixtures import (
    Components,
    Step,
    component_steps,
    most_probable,
    probability,
)

if TYPE_CHECKING:
    from models_py.features.recipes import Recipe

FRACTIONS = ("FLOAT", "DOUBLE", "REAL", "DECIMAL")
"""Types whose words are compared as numbers: 1.0 is the same category as 1."""

SPARK_READS_IT = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.parser.escapedStringLiterals": "true",
}
"""Settings with which Spark reads names and texts as the standard, and DuckDB, write them."""

FINITE = float(np.finfo(np.float64).max)

INDENT = "    "


@dataclass(frozen=True, eq=False)
class Projection:
    """Coordinates as weighted sums: ``rows @ weights.T + offsets``.

    Attributes
    ----------
    weights
        Shape (d, p).
    offsets
        Shape (d,).
    """

    weights: FloatArray
    offsets: FloatArray


@dataclass(frozen=True, eq=False)
class Halves:
    """Splits in two, from the first to the last.

    Attributes
    ----------
    splits
        Shape (s,): the part that each split cut; its second half is the next new part.
    pairs
        Shape (s, 2, d): the two centers of each split.
    """

    splits: IntArray
    pairs: FloatArray

    def sides(self, names: Sequence[str]) -> Step:
        """Return columns that are true where a row is nearer to the second center of a split."""
        columns = [f"side_{i}" for i in range(1, len(self.pairs) + 1)]
        return columns, [
            f"{_distance(names, second)} < {_distance(names, first)}"
            for first, second in self.pairs
        ]

    def group(self, groups: Sequence[int], part: int = 0, after: int = 0) -> str:
        """Return the group of the part that the ``sides`` lead to, from a part and a split on."""
        cut = next((i for i in range(after, len(self.splits)) if self.splits[i] == part), None)
        if cut is None:
            return str(groups[part])
        second, first = (self.group(groups, p, cut + 1) for p in (cut + 1, part))
        return f"case when side_{cut + 1} then {second} else {first} end"


@dataclass(frozen=True, eq=False)
class ScoringPart:
    """The chain of one partition.

    Attributes
    ----------
    name
        The partition.
    recipes
        How its features are made from columns.
    projections
        Label of the coordinates to the weighted sums that they are, in their order.
    segment_ids, centers
        Shapes (k,) and (k, d): id and mean of group 0, 1, ...
    groups, rule_centers
        Shapes (c,) and (c, d): the group of each center that a row may be nearest to; empty
        where every row is of group 0.
    components
        The mixture whose most probable component decides, in place of a center.
    splits
        The splits in two whose last part decides, in place of a center; ``groups`` are those of
        their parts.
    """

    name: str
    recipes: Sequence[Recipe]
    projections: Mapping[str, Projection]
    segment_ids: IntArray
    centers: FloatArray
    groups: IntArray
    rule_centers: FloatArray
    components: Components | None = None
    splits: Halves | None = None


@dataclass(frozen=True)
class ScoredTable:
    """The table whose rows are scored.

    Attributes
    ----------
    source
        The table or view, quoted as SQL wants it.
    types
        DuckDB's type of each of its columns.
    entity
        The column that tells rows apart.
    partition_by
        The column that parts them, where there are several parts.
    not_given
        The part of rows that have no value there.
    segment_names
        By id; None to leave them out.
    """

    source: str
    types: Mapping[str, str]
    entity: str
    partition_by: str | None
    not_given: str
    segment_names: Mapping[int, str] | None = None


def scoring_statement(table: ScoredTable, parts: Sequence[ScoringPart]) -> str:
    """Return one select that gives every row of a table its segment.

    Returns
    -------
    str
        The entity's own column, ``partition``, ``segment_id``, ``segment_name`` where there are
        names, and ``confidence``. Rows of a partition that is none of the parts get null, and so
        do rows with an infinite number or without any value.
    """
    statements = [_partition_sql(table, parts, place) for place in range(len(parts))]
    if table.partition_by is not None:
        statements.append(_unknown_sql(table, parts))
    return "\nunion all\n".join(statements) + "\n"


def _partition_sql(table: ScoredTable, parts: Sequence[ScoringPart], place: int) -> str:
    part, source = parts[place], table.source
    steps = _coordinate_steps(part.recipes, part.projections, table.types)
    if table.partition_by is not None:
        source = f"{source}\nwhere {_partition_name(table, parts)} = {literal(part.name)}"
    if part.components is not None:
        steps += component_steps(part.components, steps[-1][0])
        return _layers(table, part, source, place, steps, most_probable(part.components))
    last = steps[-1][0]
    distances = [f"distance_{i}" for i in range(1, len(part.centers) + 1)]
    steps.append((distances, [_distance(last, center) for center in part.centers]))
    group = "0"
    if part.splits is not None:
        columns, sides = part.splits.sides(last)
        steps[-1][0].extend(columns)
        steps[-1][1].extend(sides)
        group = part.splits.group(part.groups.tolist())
    elif len(part.groups):
        apart = [f"apart_{i}" for i in range(1, len(part.groups) + 1)]
        steps[-1][0].extend(apart)
        steps[-1][1].extend(_distance(last, center) for center in part.rule_centers)
        group = _first_least(apart, part.groups.tolist())
    return _layers(table, part, source, place, steps, group)


def _coordinate_steps(
    recipes: Sequence[Recipe], projections: Mapping[str, Projection], types: Mapping[str, str]
) -> list[Step]:
    features = [f"feature_{i}" for i in range(1, len(recipes) + 1)]
    steps = [(features, [feature(recipe, types[recipe.column]) for recipe in recipes])]
    for label, projection in projections.items():
        names = [f"{label}_{i}" for i in range(1, len(projection.offsets) + 1)]
        steps.append((names, list(_sums(projection, steps[-1][0]))))
    return steps


def coordinates_statement(
    source: str,
    types: Mapping[str, str],
    recipes: Sequence[Recipe],
    projections: Mapping[str, Projection],
) -> tuple[list[str], str]:
    """Return the names of a row's coordinates and the select that gives them.

    Parameters
    ----------
    source, types
        As :class:`ScoredTable` has them.
    recipes, projections
        As :class:`ScoringPart` has them.
    """
    text, names = source, list[str]()
    for names, expressions in _coordinate_steps(recipes, projections, types):
        columns = _listed([f"{e} as {n}" for e, n in zip(expressions, names, strict=True)])
        text = f"(\nselect\n{columns}\nfrom {text}\n) as coordinates"
    return names, f"select * from {text}"


def nearest_center(names: Sequence[str], centers: FloatArray) -> tuple[Step, str]:
    """Return the distances to centers as columns, and on these the number of the nearest."""
    columns = [f"apart_{i}" for i in range(1, len(centers) + 1)]
    apart = [_distance(names, center) for center in centers]
    return (columns, apart), _first_least(columns, list(range(len(centers))))


def _layers(
    table: ScoredTable,
    part: ScoringPart,
    source: str,
    place: int,
    steps: list[Step],
    group: str,
) -> str:
    # Each step selects from the one before, so that nothing is computed twice.
    entity, can = quoted(table.entity), _can_be_scored(part, table.types)
    text, key = source, f"{entity} as entity_id,\n{INDENT}{can} as is_scored"
    for names, expressions in steps:
        columns = _listed([f"{e} as {n}" for e, n in zip(expressions, names, strict=True)])
        text = f"select\n{INDENT}{key},\n{columns}\nfrom {text}"
        text = f"(\n{_indented(text)}\n) as step_{place}"
        key = f"entity_id,\n{INDENT}is_scored"
    ids, called = part.segment_ids.tolist(), table.segment_names
    named = [] if called is None else [literal(called.get(segment_id, "")) for segment_id in ids]
    sureness = (
        _confidence(len(ids)) if part.components is None else probability(part.components, len(ids))
    )
    texts = [
        f"entity_id as {entity}",
        f"{literal(part.name)} as partition",
        f"{_by_group(ids)} as segment_id",
        *([f"{_by_group(named)} as segment_name"] if named else []),
        f"{sureness} as confidence",
    ]
    inner = f"select *, case when is_scored then {group} end as group_number\nfrom {text}"
    return f"select\n{_listed(texts)}\nfrom (\n{_indented(inner)}\n) as grouped_{place}"


def _unknown_sql(table: ScoredTable, parts: Sequence[ScoringPart]) -> str:
    name, entity = _partition_name(table, parts), quoted(table.entity)
    known = ", ".join(literal(part.name) for part in parts)
    texts = [
        entity,
        f"{name} as partition",
        "null as segment_id",
        *(["null as segment_name"] if table.segment_names is not None else []),
        "null as confidence",
    ]
    return f"select\n{_listed(texts)}\nfrom {table.source}\nwhere {name} not in ({known})"


def _can_be_scored(part: ScoringPart, types: Mapping[str, str]) -> str:
    # As the Python chain has it: no infinite number, and a value at least.
    by_column = {r.column: r for r in part.recipes if r.kind != "indicator"}
    finite = [
        f"coalesce(abs({_raw(recipe)}) <= {number(LARGEST)} or isnan({_raw(recipe)}), true)"
        for recipe in by_column.values()
        if recipe.kind == "numeric"
    ]
    missing = [_is_missing(recipe, types[column]) for column, recipe in by_column.items()]
    known = f"not ({' and '.join(missing)})" if missing else "true"
    return " and ".join([known, *finite])


def _partition_name(table: ScoredTable, parts: Sequence[ScoringPart]) -> str:
    # As pandas writes the value: True for true, and 1.0 for a whole number beside nulls.
    by = str(table.partition_by)
    column, names = quoted(by), {part.name for part in parts} - {table.not_given}
    if table.types[by] == "BOOLEAN":
        name = f"case when {column} then 'True' when not {column} then 'False' end"
    elif "INT" in table.types[by] and all(name.endswith(".0") for name in names):
        name = f"cast(cast({column} as double) as string)"
    else:
        name = f"cast({column} as string)"
    return f"coalesce({name}, {literal(table.not_given)})"


def _sums(projection: Projection, names: list[str]) -> Iterator[str]:
    for weights, offset in zip(projection.weights, projection.offsets, strict=True):
        terms = (
            f"{number(weight)} * {name}"
            for weight, name in zip(weights, names, strict=True)
            if weight != 0.0
        )
        yield " + ".join([*terms, number(offset)])


def _distance(names: Sequence[str], center: FloatArray) -> str:
    # A product rather than a power: the power is several times slower and no more exact.
    parts = (
        f"({name} - {number(at)}) * ({name} - {number(at)})"
        for name, at in zip(names, center, strict=True)
    )
    return f"sqrt({' + '.join(parts)})"


def _first_least(names: list[str], groups: list[int]) -> str:
    if len(names) == 1:
        return str(groups[0])
    cases = " ".join(f"when {n} then {g}" for n, g in zip(names, groups, strict=True))
    return f"case least({', '.join(names)}) {cases} end"


def _by_group(values: Iterable[object]) -> str:
    cases = " ".join(f"when {group} then {value}" for group, value in enumerate(values))
    return f"case group_number {cases} end"


def _confidence(k: int) -> str:
    if k < 2:
        return "case group_number when 0 then 1e0 end"
    cases = []
    for group in range(k):
        others = ", ".join(f"distance_{i}" for i in range(1, k + 1) if i != group + 1)
        nearest = f"least({others})" if k > 2 else others
        cases.append(
            f"when {group} then case when {nearest} > 0e0"
            f" then greatest(1e0 - distance_{group + 1} / {nearest}, 0e0) else 0e0 end"
        )
    return f"case group_number {' '.join(cases)} end"


def feature(recipe: Recipe, column_type: str) -> str:
    """Return a fitted feature as a SQL expression on its gold column."""
    match recipe.kind:
        case "indicator":
            value = f"case when {_is_missing(recipe, column_type)} then 1e0 else 0e0 end"
        case "category":
            value = _category(recipe, column_type)
        case "ordinal":
            value = _ordinal(recipe, column_type)
        case "numeric":
            value = _numeric(recipe)
    return f"({value} - {number(recipe.center)}) / {number(recipe.spread)}"


def _numeric(recipe: Recipe) -> str:
    raw = _raw(recipe)
    value = raw
    if recipe.low is not None and recipe.high is not None:
        value = f"least(greatest({raw}, {number(recipe.low)}), {number(recipe.high)})"
    is_finite = f"{raw} between {number(-FINITE)} and {number(FINITE)}"
    value = f"case when {is_finite} then {value} else {number(recipe.fill)} end"
    if recipe.log1p:
        value = f"ln(1e0 + greatest({value}, 0e0))"
    if recipe.root:
        value = f"sqrt(greatest({value}, 0e0))"
    return value if recipe.power is None else _yeo_johnson(f"({value})", recipe.power)


def _raw(recipe: Recipe) -> str:
    raw = f"cast({quoted(recipe.column)} as double)"
    values = ", ".join(number(value) for value in recipe.missing_numbers)
    return f"case when {raw} not in ({values}) then {raw} end" if values else raw


def _yeo_johnson(value: str, power: float) -> str:
    # Yeo and Johnson (2000), Biometrika 87, 954-959.
    up, down = power, 2.0 - power
    above = (
        f"(pow({value} + 1e0, {number(up)}) - 1e0) / {number(up)}"
        if abs(up) > np.finfo(float).eps
        else f"ln(1e0 + {value})"
    )
    below = (
        f"-(pow(1e0 - {value}, {number(down)}) - 1e0) / {number(down)}"
        if abs(down) > np.finfo(float).eps
        else f"-ln(1e0 - {value})"
    )
    return f"case when {value} >= 0e0 then {above} else {below} end"


def _category(recipe: Recipe, column_type: str) -> str:
    filled = 1 if recipe.fill_category == recipe.category else 0
    same = _is_word(recipe.column, str(recipe.category), column_type)
    missing = _is_missing(recipe, column_type)
    return f"case when {missing} then {filled}e0 when {same} then 1e0 else 0e0 end"


def _ordinal(recipe: Recipe, column_type: str) -> str:
    cases = " ".join(
        f"when {_is_word(recipe.column, word, column_type)} then {rank}e0"
        for rank, word in enumerate(recipe.order)
    )
    if recipe.missing:
        cases = f"when {_is_missing(recipe, column_type)} then {number(recipe.fill)} {cases}"
    return f"case {cases} else {number(recipe.fill)} end"


def _is_word(name: str, word: str, column_type: str) -> str:
    column = quoted(name)
    if column_type == "BOOLEAN":
        return {"True": column, "False": f"not {column}"}.get(word, "false")
    if column_type.startswith(FRACTIONS):
        try:
            return f"cast({column} as double) = {number(float(word))}"
        except ValueError:
            return "false"
    return f"cast({column} as string) = {literal(word)}"


def _is_missing(recipe: Recipe, column_type: str) -> str:
    column = quoted(recipe.column)
    tests = [f"{column} is null"]
    if column_type.startswith(("FLOAT", "DOUBLE", "REAL")):
        tests.append(f"isnan({column})")
    if is_number_type(column_type):
        values = ", ".join(number(value) for value in recipe.missing_numbers)
        tests += [f"cast({column} as double) in ({values})"] if values else []
    else:
        tests += [_is_word(recipe.column, word, column_type) for word in recipe.missing_words]
    return f"({' or '.join(tests)})" if len(tests) > 1 else tests[0]


def _listed(columns: Iterable[str]) -> str:
    return ",\n".join(f"{INDENT}{column}" for column in columns)


def _indented(text: str) -> str:
    return "\n".join(f"{INDENT}{line}" for line in text.splitlines())


def rules_statement(source: str, entity: str, case_sql: str, rows: int, accuracy: float) -> str:
    """Return a statement that gives the rows of a table their segments by the rules.

    Parameters
    ----------
    source
        The table, as SQL writes it.
    entity
        Column that tells its rows apart.
    case_sql
        All rules, as ``results.rule_sets`` has them.
    rows, accuracy
        How many rows they were run on, and on which share they are right.
    """
    return (
        f"-- Right on {accuracy:.1%} of the {rows:,} rows it was made of.\n"
        f"select {quoted(entity)}, {case_sql} as segment_id from {source}\n"
    )
