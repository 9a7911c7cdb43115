"""How often an answer with such evidence is the grouping that made the table.

A mixture chosen by ICL differs from the next best other grouping by the difference of their ICL,
which is twice the logarithm of how much more likely it makes the rows. That a model is right
about rows that it fits is a promise of the model's own, so it is held against tables whose groups
are known: a logistic curve over the logarithm of the difference (Platt 1999, "Probabilistic
outputs for support vector machines"). ``benchmarks/sureness.py`` makes it anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from models_py.segmentation.alternatives import Alternative
from models_py.segmentation.segmentation import Segmentation
from models_py.studies.measures import ICL
from models_py.studies.study import Study

RIGHT_FROM = 0.8
"""Adjusted Rand index with the planted groups from which an answer counts as right."""
SLOPE, OFFSET = 1.0848, -3.0805
"""Of the logistic curve; fitted on 67 tables of 14 kinds."""
MOST_CERTAIN = 0.97
"""Held against so few tables, no answer is surer than this."""


def icl_gap(segmentation: Segmentation, others: Sequence[Alternative]) -> float:
    """Return how much lower the answer's ICL is than that of the next other grouping.

    Infinite where every candidate says the same; nan where one segment is the answer.
    """
    choice = segmentation.choice
    if choice.position is None:
        return float("nan")
    own = segmentation.candidates[choice.position].figure(ICL)
    figures = [segmentation.candidates[other.position].figure(ICL) for other in others]
    return min(figures, default=math.inf) - own


def likely_right(study: Study, segmentation: Segmentation, others: Sequence[Alternative]) -> float:
    """Return how often an answer with such evidence was right, 0..1.

    Parameters
    ----------
    study
        How it was chosen.
    segmentation
        A partition as the run left it.
    others
        The other groupings that it names.

    Returns
    -------
    float
        nan where it was not measured: the choice is not by ICL, or one segment is the answer.
    """
    if study.choose.by != ICL.name or study.choose.candidate is not None:
        return float("nan")
    return likely_right_at(icl_gap(segmentation, others))


def likely_right_at(gap: float) -> float:
    """Return the share of right answers at a difference of ICL; nan at nan."""
    if math.isnan(gap):
        return float("nan")
    curve = 1.0 / (1.0 + math.exp(-(OFFSET + SLOPE * math.log(max(gap, 1.0)))))
    return min(curve, MOST_CERTAIN)
