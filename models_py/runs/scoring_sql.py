"""A saved run as one SQL statement: which of its steps are arithmetic on one row, and which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.database.scoring import (
    SPARK_READS_IT,
    Halves,
    Projection,
    ScoredTable,
    ScoringPart,
    scoring_statement,
)
from models_py.database.scoring_mixtures import Components, MixtureNumber, MixtureWord
from models_py.clustering.distances import EUCLIDEAN
from models_py.features.recipes import Recipe
from models_py.runs.assignment import (
    MostProbable,
    MostProbableKind,
    NearestCenter,
    OneGroup,
    Splits,
)
from models_py.runs.saved import SavedPartition, SavedRun
from models_py.segmentation.prepare import projections_of
from models_py.segmentation.studied import NOT_GIVEN


def scoring_sql(
    saved: SavedRun,
    source: str,
    types: Mapping[str, str],
    names: Mapping[int, str] | None = None,
) -> str:
    """Return one select that gives every row of a table its segment.

    Parameters
    ----------
    saved
        The run.
    source
        The table or view, quoted as SQL wants it.
    types
        DuckDB's type of each of its columns.
    names
        Of the segments by id; without them no names are written.

    Returns
    -------
    str
        The entity's own column, ``partition``, ``segment_id``, ``segment_name`` and
        ``confidence``. Rows of a partition that the run did not have get null, and so do those
        with an infinite number or without any value.

    Raises
    ------
    DataError
        A step of the run is no arithmetic on one row, or the table lacks a column.
    """
    missing = [c for c in [saved.study.entity, *saved.columns] if c not in types]
    if missing:
        raise DataError(f"{source} has no column '{missing[0]}', which run {saved.run_id} needs")
    parts = [_scoring_part(part) for part in saved.partitions.values()]
    study = saved.study
    table = ScoredTable(source, types, study.entity, study.partition_by, NOT_GIVEN, names)
    name = " ".join(saved.study.name.split())
    head = f"-- Segments of study {name}, run {saved.run_id}.\n"
    if study.engine == "spark":
        read_it = "; ".join(f"set {name}={value}" for name, value in SPARK_READS_IT.items())
        head += f"-- Spark reads it after: {read_it}\n"
    return f"{head}{scoring_statement(table, parts)}"


def _scoring_part(part: SavedPartition) -> ScoringPart:
    kinds = {e.kind for e in (part.encoder, part.reconstruction) if e is not None}
    nonlinear = sorted(kinds - {"none", "pca"})
    if nonlinear:
        raise DataError(
            f"the encoder '{nonlinear[0]}' is no sum of columns that SQL can write; score with"
            " Python (leave --sql out)"
        )
    rule = part.fitted.rule
    if part.metric != EUCLIDEAN:
        raise DataError(
            f"{part.algorithm} compared rows by {part.metric} distance, which SQL does not write;"
            " score with Python (leave --sql out)"
        )
    if isinstance(rule, MostProbable | MostProbableKind) and part.is_soft:
        return _mixture_part(part, rule)
    if not isinstance(rule, NearestCenter | OneGroup | Splits):
        raise DataError(
            f"{part.algorithm} labels rows by the {rule.words}, which SQL cannot"
            " write in one statement; score with Python (leave --sql out)"
        )
    return ScoringPart(
        name=part.name,
        recipes=part.matrix.recipes_,
        projections=dict(_projections(part)),
        segment_ids=part.segment_ids,
        centers=part.centers,
        groups=rule.groups[:0] if isinstance(rule, OneGroup) else rule.groups,
        rule_centers=rule.centers if isinstance(rule, NearestCenter) else part.centers[:0],
        splits=Halves(rule.splits, rule.pairs) if isinstance(rule, Splits) else None,
    )


def _mixture_part(part: SavedPartition, rule: MostProbable | MostProbableKind) -> ScoringPart:
    roots, offsets = rule.model.roots()
    if roots.ndim == 2:
        roots = np.stack([np.diag(root) for root in roots])
    projections: dict[str, Projection] = {}
    numbers: list[MixtureNumber] | None = None
    words: list[MixtureWord] = []
    if isinstance(rule, MostProbableKind):
        numbers, words = _numbers_and_words(part.matrix.recipes_, rule)
    else:
        projections = dict(_projections(part))
    components = Components(rule.groups, offsets, rule.means, roots, numbers, words)
    return ScoringPart(
        name=part.name,
        recipes=part.matrix.recipes_,
        projections=projections,
        segment_ids=part.segment_ids,
        centers=part.centers,
        groups=rule.groups,
        rule_centers=part.centers[:0],
        components=components,
    )


def _numbers_and_words(
    recipes: Sequence[Recipe], rule: MostProbableKind
) -> tuple[list[MixtureNumber], list[MixtureWord]]:
    """Return what the mixture sees of the features, as its layout says."""
    layout, numeric = rule.model.layout, [i for i, r in enumerate(recipes) if r.kind != "category"]
    numbers = []
    for place, at in enumerate(layout.numbers):
        known = np.isfinite(layout.levels[place])
        numbers.append(
            MixtureNumber(
                numeric[at],
                float(layout.centers[place]),
                float(layout.spreads[place]),
                layout.levels[place, known],
                layout.scores[place, known],
            )
        )
    tests = [
        [(numeric[at], float(half))] for at, half in zip(layout.truths, layout.halves, strict=True)
    ]
    by_column: dict[str, list[tuple[int, float]]] = {}
    for i, recipe in enumerate(recipes):
        if recipe.kind == "category":
            edge = (0.5 - recipe.center) / recipe.spread
            by_column.setdefault(recipe.column, []).append((i, edge))
    with np.errstate(divide="ignore"):
        shares = np.log(rule.model.levels)
    words = [
        MixtureWord(of_column, shares[:, place, :size])
        for place, (of_column, size) in enumerate(
            zip([*tests, *by_column.values()], layout.sizes, strict=True)
        )
    ]
    return numbers, words


def _projections(part: SavedPartition) -> Iterator[tuple[str, Projection]]:
    # In the order of the chain: what is reconstructed, then the coordinates.
    if part.reconstruction is not None and part.reconstruction.kind == "pca":
        (pca,) = projections_of(part.reconstruction).values()
        back = pca.weights.T @ pca.weights
        mean = _pca_mean(part.reconstruction)
        yield "reconstructed", Projection(back, mean - back @ mean)
    if part.encoder is not None:
        yield from projections_of(part.encoder).items()


def _pca_mean(encoder: object) -> FloatArray:
    return np.asarray(encoder.mean_, dtype=np.float64)  # type: ignore[attr-defined]
