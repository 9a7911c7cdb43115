"""How sure a drafted study's answer is: the curve of `models_py.segmentation.calibration`, anew.

Planted tables of every kind of `planted_tables`, thinned to a half, a third or a fifth of their
rows on some draws so that answers go wrong, take the road that a user takes. An answer is right
where its adjusted Rand index with the planted groups is `RIGHT_FROM` or more. The logistic curve
over the logarithm of the difference of ICL is fitted to all of them; the Brier score is that of
each kind foretold by the others, beside the one of the mean.

Example::

    python benchmarks/sureness.py --draws 4 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from dataclasses import replace

import numpy as np
from planted_table_roads import drafted_segmentation
from planted_tables import HELD_OUT, ID, TUNED, PlantedTable, planted_table

from models_py.base.arrays import FloatArray
from models_py.segmentation.alternatives import distinct_alternatives
from models_py.segmentation.calibration import RIGHT_FROM, icl_gap

FIRST_SEED = 600
SHARES = (1.0, 0.5, 0.3, 0.2)
LEAST_ROWS = 110


def thinned(table: PlantedTable, seed: int) -> PlantedTable:
    """Return a table of some of the rows."""
    rng = np.random.default_rng(seed)
    count = max(LEAST_ROWS, int(float(rng.choice(SHARES)) * len(table.frame)))
    kept = np.sort(rng.permutation(len(table.frame))[:count])
    return replace(
        table, frame=table.frame.iloc[kept].reset_index(drop=True), truth=table.truth[kept]
    )


def measured(kind: str, seed: int) -> dict[str, object]:
    """Return one table's difference of ICL and how far its answer agrees with the truth."""
    from sklearn.metrics import adjusted_rand_score

    table = thinned(planted_table(kind, seed), seed)
    frame, found = drafted_segmentation(table.frame)
    order = {entity: place for place, entity in enumerate(frame[ID].astype(str))}
    groups = found.groups[[order[entity] for entity in table.frame[ID]]]
    known = table.truth >= 0
    fitted_groups = found.groups[found.prepared.fitted_rows]
    return {
        "kind": kind,
        "seed": seed,
        "rows": len(table.frame),
        "true_k": len(np.unique(table.truth[known])),
        "k": len(np.unique(groups)),
        "gap": icl_gap(found, distinct_alternatives(found.candidates, found.choice, fitted_groups)),
        "adjusted_rand": float(adjusted_rand_score(table.truth[known], groups[known])),
    }


def fitted(rows: list[dict[str, object]]) -> dict[str, object]:
    """Return the curve and its Brier score on kinds that it did not see."""
    from sklearn.linear_model import LogisticRegression

    several = [row for row in rows if row["k"] != 1]
    gaps = np.log(np.maximum([float(str(row["gap"])) for row in several], 1.0))[:, None]
    gaps = np.minimum(gaps, 20.0)
    right = np.array([float(str(row["adjusted_rand"])) >= RIGHT_FROM for row in several])
    kinds = np.array([row["kind"] for row in several])
    curve = LogisticRegression(C=10.0).fit(gaps, right)
    foretold: FloatArray = np.full(len(right), right.mean())
    for kind in np.unique(kinds):
        own = kinds == kind
        if len(np.unique(right[~own])) > 1:
            model = LogisticRegression(C=10.0).fit(gaps[~own], right[~own])
            foretold[own] = model.predict_proba(gaps[own])[:, 1]
    alone = [row for row in rows if row["k"] == 1]
    return {
        "tables": len(several),
        "right": int(right.sum()),
        "slope": float(curve.coef_[0, 0]),
        "offset": float(curve.intercept_[0]),
        "brier_of_kinds_unseen": float(np.mean((foretold - right) ** 2)),
        "brier_of_the_mean": float(np.mean((right.mean() - right) ** 2)),
        "one_segment_said": len(alone),
        "one_segment_true": sum(row["true_k"] == 1 for row in alone),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=4, help="of every kind")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    rows = []
    for seed in range(FIRST_SEED, FIRST_SEED + asked.draws):
        for kind in (*TUNED, *HELD_OUT):
            rows.append(measured(kind, seed))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    figures = fitted(rows)
    if asked.json:
        print(json.dumps(figures | {"each": rows}))
        return
    for name, value in figures.items():
        print(f"{name:<24} {value}")


if __name__ == "__main__":
    main()
