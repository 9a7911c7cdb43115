"""Which columns of a table say nearly all of another one, on a sample of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.database.connection import Warehouse, quoted
from models_py.studies.column_facts import ColumnFacts, Relation

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_ROWS = 10_000
FEWEST_ROWS = 50
FEWEST_TO_FOLLOW = 200
"""With fewer rows a column of two values follows from another by chance of the bins."""
MOST_COLUMNS = 200
MOST_VALUES = 50
BIN_ROWS = 25
CORRELATED = 0.9995
SAID = 0.98
"""Share of the rows beyond the most common value that the other column must get right."""

NO_VALUE = -1


@dataclass(frozen=True)
class _Coded:
    """A column in parts: its values where it has few, else parts of equal size by rank."""

    name: str
    codes: IntArray
    distinct: int
    has_values: bool


def find_relations(
    warehouse: Warehouse, table: str, entity: str, facts: Sequence[ColumnFacts]
) -> dict[str, tuple[Relation, ...]]:
    """Return the columns that say nearly all of a column, by that column.

    Parameters
    ----------
    warehouse
        Open.
    table
        Quoted.
    entity
        Orders the rows that are drawn, so that the same table gives the same answer.
    facts
        Of its columns; the first 200 that can be compared are.
    """
    compared = [fact for fact in facts if _is_compared(fact)][:MOST_COLUMNS]
    if len(compared) < 2 or compared[0].rows < FEWEST_ROWS:
        return {}
    frame = _sample(warehouse, table, entity, compared)
    results: dict[str, list[Relation]] = {}
    for name, relation in [*_correlated(frame, compared), *_said(frame, compared)]:
        if all(item.name != relation.name for item in results.get(name, [])):
            results.setdefault(name, []).append(relation)
    return {name: tuple(relations) for name, relations in results.items()}


def _is_compared(column: ColumnFacts) -> bool:
    if column.known == 0 or column.distinct < 2:
        return False
    has_few = column.distinct <= min(MOST_VALUES, column.rows / 10)
    return column.is_number or (has_few and column.type in {"VARCHAR", "BOOLEAN"})


def _sample(
    warehouse: Warehouse, table: str, entity: str, columns: Sequence[ColumnFacts]
) -> pd.DataFrame:
    chosen = ", ".join(
        f"cast({quoted(column.name)} as double)"
        if column.is_number
        else f"cast({quoted(column.name)} as varchar)"
        for column in columns
    )
    key = f"hash(cast({quoted(entity)} as varchar))"
    frame = warehouse.frame(f"select {chosen} from {table} order by {key} limit {SAMPLE_ROWS}")
    frame.columns = [column.name for column in columns]
    return frame


def _correlated(frame: pd.DataFrame, columns: Sequence[ColumnFacts]) -> list[tuple[str, Relation]]:
    # By rank, so that a column and its logarithm are one.
    names = [column.name for column in columns if column.is_number and column.distinct > 2]
    if len(names) < 2:
        return []
    ranks = frame[names].rank()
    filled = ranks.fillna(ranks.mean()).to_numpy(dtype=np.float64)
    centered = filled - filled.mean(axis=0)
    norms = np.linalg.norm(centered, axis=0)
    strength = np.abs(centered.T @ centered) / np.outer(norms, norms).clip(1e-12)
    known = frame[names].notna().to_numpy()
    return [
        (names[second], Relation(names[first], "copy", float(strength[first, second])))
        for first, second in np.argwhere(np.triu(strength >= CORRELATED, 1))
        if (known[:, first] == known[:, second]).mean() >= SAID
    ]


def _said(frame: pd.DataFrame, columns: Sequence[ColumnFacts]) -> list[tuple[str, Relation]]:
    coded = [_coded(frame[column.name], column) for column in columns]
    targets = [item for item in coded if item.has_values]
    if not targets:
        return []
    right = _shares_right(coded, targets, len(frame))
    said: list[tuple[str, Relation]] = []
    place = {target.name: at for at, target in enumerate(targets)}
    for row, by in enumerate(coded):
        for at, of in enumerate(targets):
            if by.name == of.name or right[row, at] < SAID:
                continue
            back = place.get(by.name)
            is_mutual = back is not None and right[coded.index(of), back] >= SAID
            kind = "copy" if is_mutual else "follows"
            if kind == "follows" and (of.distinct != 2 or len(frame) < FEWEST_TO_FOLLOW):
                continue
            said.append((of.name, Relation(by.name, kind, float(right[row, at]))))  # type: ignore[arg-type]
    return said


def _coded(column: pd.Series[Any], facts: ColumnFacts) -> _Coded:
    import pandas as pd

    if facts.distinct <= min(MOST_VALUES, len(column) / 10):
        codes, _ = pd.factorize(column, sort=True)
        return _Coded(facts.name, codes.astype(np.int64), facts.distinct, facts.distinct <= 10)
    parts = int(np.clip(len(column) // BIN_ROWS, 2, MOST_VALUES))
    ranks = column.rank(method="min", pct=True).to_numpy(dtype=np.float64)
    known = ~np.isnan(ranks)
    codes = np.where(known, np.ceil(np.nan_to_num(ranks) * parts) - 1, NO_VALUE)
    return _Coded(facts.name, codes.astype(np.int64), facts.distinct, has_values=False)


def _shares_right(coded: Sequence[_Coded], targets: Sequence[_Coded], rows: int) -> FloatArray:
    """Return how much of each target each column says: Goodman and Kruskal's lambda.

    Returns
    -------
    FloatArray
        Shape (columns, targets): of the rows that the most common value gets wrong, the share
        that is right where each part of the column takes its own most common one.
    """
    from scipy.sparse import csr_matrix

    starts = np.cumsum([0, *(int(item.codes.max()) + 2 for item in coded)])
    places = np.column_stack(
        [item.codes + 1 + start for item, start in zip(coded, starts, strict=False)]
    )
    ones = np.ones(places.size, dtype=np.float64)
    ends = np.arange(0, places.size + 1, len(coded))
    parts = csr_matrix((ones, places.ravel(), ends), shape=(rows, int(starts[-1]))).T.tocsr()
    right = np.zeros((len(coded), len(targets)))
    for at, target in enumerate(targets):
        values = np.eye(int(target.codes.max()) + 2)[target.codes + 1]
        best = np.asarray((parts @ values).max(axis=1))
        hits = np.add.reduceat(best, starts[:-1])
        common = values.sum(axis=0).max()
        rest = rows - common
        right[:, at] = (hits - common) / rest if rest >= BIN_ROWS else 0.0
    return right
