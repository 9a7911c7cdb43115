"""A saved run as one SQL statement that scores inside DuckDB.

Imputing, clipping, logarithms, Yeo-Johnson powers, categories, scaling, principal components
and the nearest center are all arithmetic on one row. The statement does the same steps in the
same order as the Python chain, with numbers written so that they read back to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.base.sql_text import literal
from models_py.database.connection import quoted
from models_py.features.recipes import Recipe
from models_py.runs.assignment import NearestCenter, OneGroup
from models_py.runs.saved import SavedPartition, SavedRun
from models_py.segmentation.studied import NOT_GIVEN

FRACTIONS = ("FLOAT", "DOUBLE", "REAL", "DECIMAL")
"""Types whose words are compared as numbers: 1.0 is the same category as 1."""

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


def scoring_sql(saved: SavedRun, source: str, types: Mapping[str, str]) -> str:
    """Return one select that gives every row of a table its segment.

    Parameters
    ----------
    saved
        The run.
    source
        The table or view, quoted as SQL wants it.
    types
        DuckDB's type of each of its columns.

    Returns
    -------
    str
        Columns ``entity_id``, ``partition``, ``segment_id`` and ``confidence``. Rows of a
        partition that the run did not have get null.

    Raises
    ------
    DataError
        A step of the run is no arithmetic on one row, or the table lacks a column.
    """
    missing = [c for c in [saved.study.entity, *saved.columns] if c not in types]
    if missing:
        raise DataError(f"{source} has no column '{missing[0]}', which run {saved.run_id} needs")
    for part in saved.partitions.values():
        _check_can_tell(part)
    statements = [
        _partition_sql(saved, part, place, source, types)
        for place, part in enumerate(saved.partitions.values())
    ]
    if saved.study.partition_by is not None:
        statements.append(_unknown_sql(saved, source, types))
    name, run_id = _one_line(saved.study.name), saved.run_id
    return f"-- Segments of study {name}, run {run_id}.\n" + "\nunion all\n".join(statements) + "\n"


def _check_can_tell(part: SavedPartition) -> None:
    kinds = {e.kind for e in (part.encoder, part.reconstruction) if e is not None}
    nonlinear = sorted(kinds - {"none", "pca"})
    if nonlinear:
        raise DataError(
            f"the encoder '{nonlinear[0]}' is no sum of columns that SQL can write; score with"
            " Python (leave --sql out)"
        )
    if not isinstance(part.fitted.rule, NearestCenter | OneGroup):
        raise DataError(
            f"{part.algorithm} labels rows by the {part.fitted.rule.words}, which SQL cannot"
            " write in one statement; score with Python (leave --sql out)"
        )


def _partition_sql(
    saved: SavedRun, part: SavedPartition, place: int, source: str, types: Mapping[str, str]
) -> str:
    features = [f"feature_{i}" for i in range(1, len(part.matrix.recipes_) + 1)]
    made = [feature(r, types[r.column]) for r in part.matrix.recipes_]
    steps = [(features, made)]
    for label, projection in _projections(part):
        names = [f"{label}_{i}" for i in range(1, len(projection.offsets) + 1)]
        steps.append((names, list(_sums(projection, steps[-1][0]))))
    last = steps[-1][0]
    distances = [f"distance_{i}" for i in range(1, len(part.centers) + 1)]
    steps.append((distances, [_distance(last, center) for center in part.centers]))
    rule = part.fitted.rule
    if isinstance(rule, NearestCenter):
        apart = [f"apart_{i}" for i in range(1, len(rule.centers) + 1)]
        steps[-1][0].extend(apart)
        steps[-1][1].extend(_distance(last, center) for center in rule.centers)
        group = _first_least(apart, rule.groups.tolist())
    else:
        group = "0"
    if saved.study.partition_by is not None:
        source = f"{source}\nwhere {_partition_name(saved, types)} = {literal(part.name)}"
    entity = f"cast({quoted(saved.study.entity)} as varchar)"
    return _layers(part, entity, source, place, steps, group)


def _layers(
    part: SavedPartition,
    entity: str,
    source: str,
    place: int,
    steps: list[tuple[list[str], list[str]]],
    group: str,
) -> str:
    # Each step selects from the one before, so that nothing is computed twice.
    text, key = source, f"{entity} as entity_id"
    for names, expressions in steps:
        columns = _listed([f"{e} as {n}" for e, n in zip(expressions, names, strict=True)])
        text = f"select\n{INDENT}{key},\n{columns}\nfrom {text}"
        text = f"(\n{_indented(text)}\n) as step_{place}"
        key = "entity_id"
    k = len(part.segment_ids)
    texts = [
        "entity_id",
        f"{literal(part.name)} as partition",
        f"{_by_group(part.segment_ids.tolist())} as segment_id",
        f"{_confidence(k)} as confidence",
    ]
    inner = f"select *, {group} as group_number\nfrom {text}"
    return f"select\n{_listed(texts)}\nfrom (\n{_indented(inner)}\n) as grouped_{place}"


def _unknown_sql(saved: SavedRun, source: str, types: Mapping[str, str]) -> str:
    name, entity = _partition_name(saved, types), quoted(saved.study.entity)
    known = ", ".join(literal(part) for part in saved.partitions)
    texts = [
        f"cast({entity} as varchar) as entity_id",
        f"{name} as partition",
        "null as segment_id",
        "null as confidence",
    ]
    return f"select\n{_listed(texts)}\nfrom {source}\nwhere {name} not in ({known})"


def _partition_name(saved: SavedRun, types: Mapping[str, str]) -> str:
    # As pandas writes the value: True for true, and 1.0 for a whole number beside nulls.
    by = str(saved.study.partition_by)
    column, names = quoted(by), set(saved.partitions) - {NOT_GIVEN}
    if types[by] == "BOOLEAN":
        name = f"case when {column} then 'True' when not {column} then 'False' end"
    elif "INT" in types[by] and all(name.endswith(".0") for name in names):
        name = f"cast(cast({column} as double) as varchar)"
    else:
        name = f"cast({column} as varchar)"
    return f"coalesce({name}, {literal(NOT_GIVEN)})"


def _projections(part: SavedPartition) -> Iterator[tuple[str, Projection]]:
    # In the order of the chain: what is reconstructed, then the coordinates.
    if part.reconstruction is not None and part.reconstruction.kind == "pca":
        pca = _pca(part.reconstruction)
        back = pca.weights.T @ pca.weights
        mean = _pca_mean(part.reconstruction)
        yield "reconstructed", Projection(back, mean - back @ mean)
    if part.encoder is not None and part.encoder.kind == "pca":
        yield "component", _pca(part.encoder)


def _pca(encoder: object) -> Projection:
    weights = np.asarray(encoder.components_)  # type: ignore[attr-defined]
    return Projection(weights, -weights @ _pca_mean(encoder))


def _pca_mean(encoder: object) -> FloatArray:
    return np.asarray(encoder.pca_.mean_, dtype=np.float64)  # type: ignore[attr-defined]


def _sums(projection: Projection, names: list[str]) -> Iterator[str]:
    for weights, offset in zip(projection.weights, projection.offsets, strict=True):
        terms = (
            f"{number(weight)} * {name}"
            for weight, name in zip(weights, names, strict=True)
            if weight != 0.0
        )
        yield " + ".join([*terms, number(offset)])


def _distance(names: list[str], center: FloatArray) -> str:
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
        return "1e0"
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
    raw = f"cast({quoted(recipe.column)} as double)"
    value = raw
    if recipe.low is not None and recipe.high is not None:
        value = f"least(greatest({raw}, {number(recipe.low)}), {number(recipe.high)})"
    value = f"case when isfinite({raw}) then {value} else {number(recipe.fill)} end"
    if recipe.log1p:
        value = f"ln(1e0 + greatest({value}, 0e0))"
    return value if recipe.power is None else _yeo_johnson(f"({value})", recipe.power)


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
    return f"cast({column} as varchar) = {literal(word)}"


def _is_missing(recipe: Recipe, column_type: str) -> str:
    column = quoted(recipe.column)
    is_null = f"{column} is null"
    if column_type.startswith(("FLOAT", "DOUBLE", "REAL")):
        return f"({is_null} or isnan({column}))"
    return is_null


def number(value: float) -> str:
    """Return a number as a SQL literal of type double that reads back to the last bit."""
    # Without an exponent DuckDB reads a decimal, whose digits round once more.
    text = repr(float(value))
    text = text if "e" in text else f"{text}e0"
    return f"({text})" if text.startswith("-") else text


def _listed(columns: Iterable[str]) -> str:
    return ",\n".join(f"{INDENT}{column}" for column in columns)


def _indented(text: str) -> str:
    return "\n".join(f"{INDENT}{line}" for line in text.splitlines())


def _one_line(text: str) -> str:
    return " ".join(text.split())
