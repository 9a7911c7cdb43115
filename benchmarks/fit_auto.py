"""Fit the weights of the automatic choice again, and hold them against those that ship.

Candidates are found on planted sets of every shape (`planted_data`), their evidence is
measured, and the weights are those that maximise the mean adjusted Rand index to be expected
when a candidate is drawn with probability proportional to exp(score), less a penalty on large
weights. Then the candidate of the highest score is taken on sets of other draws, by the new
weights and by the shipped ones. Tables of four columns and more have weights of their own
(``--wide``), fitted to `planted_wide` and the shapes of as many columns; each of their kinds is
then left out of a fit in its turn. The chance of one group is fitted apart and passed on as it is.

A draw of all shapes takes some minutes.

Example::

    python benchmarks/fit_auto.py --draws 8 --held-out 2 --write weights.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score
from planted_data import ShapeSet, shape_sets
from planted_wide import NO_GROUPS, wide_sets

from models_py.base.arrays import FloatArray
from models_py.clustering.algorithms import FAMILIES, KIN, family_of
from models_py.clustering.auto import WIDE_FROM, assign_noise, auto_candidates, numbered
from models_py.segmentation.auto.evidence import EVIDENCE, measure_evidence, prepare_evidence
from models_py.segmentation.auto.weighing import (
    CLIPPED_AT,
    Weights,
    ranks,
    scored,
    shipped_weights,
)

PENALTY, WIDE_PENALTY = 0.01, 0.0003
HELD_OUT_FROM = 2000
"""First seed of the held-out draws; benchmarks/planted.py begins at 1000."""


@dataclass(frozen=True, eq=False)
class Judged:
    """The candidates of one set: evidence (c, e), families, adjusted Rand index (c,)."""

    name: str
    evidence: FloatArray
    families: list[str]
    agreement: FloatArray


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=8, help="of every shape, to fit on")
    parser.add_argument("--held-out", type=int, default=2, metavar="DRAWS", help="to compare on")
    parser.add_argument("--wide", action="store_true", help="for tables of four columns and more")
    parser.add_argument("--penalty", type=float, help="on the squared weights; 0.01, wide 0.0003")
    parser.add_argument("--write", type=Path, help="a file for the new weights")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def judge(shape: ShapeSet) -> Judged:
    """Find the candidates of a set, measure their evidence and their agreement with the truth."""
    name, points, truth = shape
    candidates = auto_candidates(points, 0)
    results = [
        (candidate, numbered(assign_noise(points, candidate.labels))) for candidate in candidates
    ]
    kept = [
        (candidate, labels) for candidate, labels in results if 1 < labels.max() + 1 < len(points)
    ]
    families = [family_of(candidate.algorithm, candidate.parameters) for candidate, _ in kept]
    labelings = [labels for _, labels in kept]
    opinions = [KIN.get(family, family) for family in families]
    evidence = measure_evidence(prepare_evidence(points, seed=0), labelings, opinions)
    known = truth >= 0
    agreement = [adjusted_rand_score(labels[known], truth[known]) for labels in labelings]
    print(f"{name}: {len(kept)} candidates, best {max(agreement):.2f}", file=sys.stderr)
    return Judged(name, np.nan_to_num(evidence), families, np.array(agreement))


def fit(judged: list[Judged], penalty: float) -> Weights:
    """Return the weights that maximise the agreement to be expected, by L-BFGS."""
    from scipy.optimize import minimize

    stacked = np.vstack([table.evidence for table in judged])
    mean, deviation = stacked.mean(axis=0), stacked.std(axis=0) + 1e-6
    designs = [_design(table, mean, deviation) for table in judged]

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        total, slope = 0.0, np.zeros_like(weights)
        for design, item in zip(designs, judged, strict=True):
            scores = design @ weights
            chance = np.exp(scores - scores.max())
            chance /= chance.sum()
            expected = float(chance @ item.agreement)
            total += expected
            slope += (chance * (item.agreement - expected)) @ design
        return (
            penalty * float(weights @ weights) - total / len(judged),
            2.0 * penalty * weights - slope / len(judged),
        )

    start = np.zeros(designs[0].shape[1])
    weights = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    raw, rank, family = np.split(weights, [len(EVIDENCE), 2 * len(EVIDENCE)])
    constants = {name: float(value) for name, value in zip(FAMILIES, family, strict=True)}
    return Weights(mean, deviation, raw, rank, constants)


def _design(judged: Judged, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return what `scored` weighs, shape (c, 2 e + families)."""
    scaled = np.clip((judged.evidence - mean) / deviation, -CLIPPED_AT, CLIPPED_AT)
    families = np.array([[family == name for name in FAMILIES] for family in judged.families])
    return np.hstack([scaled, ranks(judged.evidence), families.astype(float)])


def chosen_agreement(judged: list[Judged], weights: Weights) -> float:
    """Return the mean agreement of the candidates with the highest score."""
    results = [
        table.agreement[int(np.argmax(scored(table.evidence, table.families, weights)))]
        for table in judged
    ]
    return float(np.mean(results))


def drawn_sets(seeds: Iterable[int], is_wide: bool) -> Iterator[ShapeSet]:
    """Yield the sets with groups of some draws."""
    for seed in seeds:
        if not is_wide:
            yield from shape_sets(seed)
            continue
        yield from (each for each in wide_sets(seed) if each[0] != NO_GROUPS)
        yield from (each for each in shape_sets(seed) if each[1].shape[1] >= WIDE_FROM)


def unseen_kinds(judged: list[Judged], penalty: float) -> float:
    """Return the mean agreement on kinds, each left out of the fit that chooses on it."""
    results = []
    for kind in sorted({item.name for item in judged}):
        others = [item for item in judged if item.name != kind]
        own = [item for item in judged if item.name == kind]
        results.append(chosen_agreement(own, fit(others, penalty)))
    return float(np.mean(results))


def as_stored(weights: Weights, is_wide: bool) -> dict[str, object]:
    """Return all weights in the form of ``weights.json``, these in their place."""
    parts = ("mean", "deviation", "raw", "rank")
    text = files("models_py.segmentation.auto").joinpath("weights.json").read_text(encoding="utf-8")
    fitted = {
        "evidence": {
            name: {part: round(float(getattr(weights, part)[i]), 6) for part in parts}
            for i, name in enumerate(EVIDENCE)
        },
        "family": {name: round(value, 6) for name, value in weights.family.items()},
    }
    return {**json.loads(text), "wide" if is_wide else "narrow": fitted}


def main() -> None:
    asked = parsed_arguments()
    penalty = asked.penalty or (WIDE_PENALTY if asked.wide else PENALTY)
    judged = [judge(each) for each in drawn_sets(range(asked.draws), asked.wide)]
    weights = fit(judged, penalty)
    seeds = range(HELD_OUT_FROM, HELD_OUT_FROM + asked.held_out)
    held_out = [judge(each) for each in drawn_sets(seeds, asked.wide)]
    shipped = shipped_weights(WIDE_FROM if asked.wide else WIDE_FROM - 1)
    results = {
        "sets": len(judged),
        "held_out_sets": len(held_out),
        "fitted": chosen_agreement(held_out, weights),
        "shipped": chosen_agreement(held_out, shipped),
        "best_candidate": float(np.mean([item.agreement.max() for item in held_out])),
    }
    if asked.wide:
        results["unseen_kinds"] = unseen_kinds(judged, penalty)
    if asked.write:
        stored = json.dumps(as_stored(weights, asked.wide), indent=1)
        asked.write.write_text(stored, encoding="utf-8")
    if asked.json:
        print(json.dumps(results))
        return
    for key, value in results.items():
        print(f"{key:<16} {value:.3g}")


if __name__ == "__main__":
    main()
