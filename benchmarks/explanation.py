"""Explaining segments: seconds, and SHAP by tree contributions against shap's TreeExplainer.

Run it as

    python benchmarks/explanation.py --rows 50000 --json

It says what is sampled: the rows that the trees are fitted on, and those with SHAP values.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import pandas as pd
from extras import need

from models_py.describe import surrogate
from models_py.describe.profiles import profile_segments
from models_py.describe.rules import find_rules
from models_py.describe.surrogate import fit_surrogate, tree_contributions
from models_py.features.matrix import FeatureMatrix
from models_py.features.settings import Features

FEATURES = 8
SEGMENTS = 6
PROFILED = 80
RIVAL_ROWS = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    need("lightgbm", "shap")
    figures = measure(asked.rows)
    if asked.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:<34} {value:,.4g}" if isinstance(value, float) else f"{name:<34} {value}")


def measure(rows: int) -> dict[str, float | int]:
    values, groups = drawn(rows)
    frame = pd.DataFrame(values, columns=[f"feature_{i}" for i in range(FEATURES)])
    wide = pd.DataFrame(np.random.default_rng(2).gamma(2.0, size=(rows, PROFILED)))
    fit_surrogate(values[:500], groups[:500], 1)
    _, profile_seconds = timed(lambda: profile_segments(wide, groups))
    matrix = FeatureMatrix(Features(include=["*"])).fit(frame)
    _, rule_seconds = timed(lambda: find_rules(values, groups, matrix, 1))
    surrogate, surrogate_seconds = timed(lambda: fit_surrogate(values, groups, 1))
    assert surrogate is not None
    return {
        "rows": rows,
        "profile_columns": PROFILED,
        "profile_seconds": profile_seconds,
        "rules_seconds": rule_seconds,
        "surrogate_seconds": surrogate_seconds,
        "surrogate_rows": surrogate.rows,
        "surrogate_f1_weighted": surrogate.f1_weighted,
        "shap_rows": surrogate.sample.size,
        **rival(surrogate, values),
    }


def rival(result: surrogate.Surrogate, values: np.ndarray) -> dict[str, float | int]:
    """Explain the same rows of the same trees by the shap package."""
    import lightgbm
    import shap

    model = lightgbm.Booster(model_str=result.model)
    sample = values[result.sample[:RIVAL_ROWS]]
    own, own_seconds = timed(lambda: tree_contributions(model, sample, result.classes.size))
    explainer = shap.TreeExplainer(model)
    theirs, their_seconds = timed(lambda: explainer.shap_values(sample))
    difference = np.abs(own - np.moveaxis(np.asarray(theirs), 2, 1)).max()
    return {
        "rival_rows": len(sample),
        "tree_contributions_seconds": own_seconds,
        "tree_explainer_seconds": their_seconds,
        "times_faster": their_seconds / own_seconds,
        "largest_difference": float(difference),
        "largest_value": float(np.abs(own).max()),
    }


def drawn(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of six overlapping groups, with 3% unknown values."""
    generator = np.random.default_rng(1)
    groups = generator.integers(0, SEGMENTS, rows)
    centers = generator.normal(size=(SEGMENTS, FEATURES)) * 1.5
    values = centers[groups] + generator.normal(size=(rows, FEATURES))
    values[generator.random(values.shape) < 0.03] = np.nan
    return values, groups.astype(np.int64)


def timed(work):  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
