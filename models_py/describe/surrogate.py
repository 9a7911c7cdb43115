"""What tells the segments apart: boosted trees on unscaled features, and their SHAP values.

The trees are judged on rows that they were not fitted on; a segmentation that they cannot find
again is not explained by its features. SHAP values come from LightGBM's own exact contributions
of each tree, in log odds.

References
----------
Lundberg, Erion et al. (2020), From local explanations to global understanding with explainable
AI for trees.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import MissingExtraError
from models_py.base.threads import across_threads

FOLDS = 5
FIT_ROWS = 20_000
SHAP_ROWS = 2_000
ROUNDS = 40
PARAMETERS: dict[str, Any] = {
    "objective": "multiclass",
    "learning_rate": 0.15,
    "num_leaves": 8,
    "max_depth": 5,
    "min_data_in_leaf": 10,
    "min_data_in_bin": 3,
    "max_bin": 63,
    "verbosity": -1,
    # The same trees whatever the number of threads.
    "deterministic": True,
    "force_col_wise": True,
    # On a machine with other work LightGBM's threads wait for each other ten times longer than
    # they save: fits run side by side instead.
    "num_threads": 1,
}


@dataclass(frozen=True)
class Surrogate:
    """Boosted trees that find the segments again from the features.

    Attributes
    ----------
    classes
        Shape (classes,): the groups that were explained; too small ones are left out.
    rows
        Rows that the trees were fitted and tried on.
    folds
        Of the cross-validation.
    f1_weighted, f1_macro, accuracy
        Of each row's label as predicted by the trees that were not fitted on it.
    f1
        Shape (classes,): out of fold, one a group.
    sample
        Shape (sampled,): positions of the rows whose SHAP values were computed.
    shap
        Shape (sampled, classes, features): towards each group, in log odds.
    parameters
        Of the trees.
    seconds
        Fits, trials and SHAP values together.
    model
        LightGBM's text of the trees fitted on all rows.
    """

    classes: IntArray
    rows: int
    folds: int
    f1_weighted: float
    f1_macro: float
    accuracy: float
    f1: FloatArray
    sample: IntArray
    shap: FloatArray
    parameters: dict[str, Any]
    seconds: float
    model: str

    @property
    def mean_shap(self) -> FloatArray:
        """Shape (classes, features): mean absolute SHAP value towards each group."""
        return np.asarray(np.abs(self.shap).mean(axis=0))

    def direction(self, values: FloatArray) -> FloatArray:
        """Return whether high (1) or low (-1) values speak for a group.

        Parameters
        ----------
        values
            Shape (rows, features), as given to :func:`fit_surrogate`.

        Returns
        -------
        FloatArray
            Shape (classes, features): the sign of the rank correlation of value and SHAP value
            over the sampled rows that have a value; nan where either is constant.
        """
        signs = np.full(self.shap.shape[1:], np.nan)
        for feature in range(values.shape[1]):
            sampled = values[self.sample, feature]
            known = ~np.isnan(sampled)
            signs[:, feature] = _rank_signs(sampled[known], self.shap[known, :, feature])
        return signs


def fit_surrogate(
    values: FloatArray, groups: IntArray, seed: int, smallest: int = FOLDS
) -> Surrogate | None:
    """Fit the trees, try them out of fold and compute SHAP values on a sample.

    Parameters
    ----------
    values
        Shape (rows, features): unscaled, nan where unknown.
    groups
        Shape (rows,): 0..k-1.
    seed
        Of the samples and the folds.
    smallest
        Groups with fewer rows are left out, and so are those with fewer rows than folds.

    Returns
    -------
    Surrogate or None
        None where fewer than two groups are left to be distinguished.

    Raises
    ------
    MissingExtraError
        LightGBM is not installed; the message tells how to install it.
    """
    from sklearn.metrics import f1_score

    lightgbm = _lightgbm()
    start = time.perf_counter()
    sizes = np.bincount(groups)
    kept = np.flatnonzero(np.isin(groups, np.flatnonzero(sizes >= max(smallest, FOLDS))))
    if np.unique(groups[kept]).size < 2:
        return None
    generator = np.random.default_rng(seed)
    used = _drawn(kept, groups[kept], FIT_ROWS, generator)
    classes, labels = np.unique(groups[used], return_inverse=True)
    parameters = {
        **PARAMETERS,
        "num_class": classes.size,
        "seed": seed % 2**31,
    }
    result = _out_of_fold(lightgbm, parameters, values[used], labels, seed)
    model = _fit(lightgbm, parameters, values[used], labels)
    sample = np.sort(generator.choice(kept, min(SHAP_ROWS, kept.size), replace=False))
    each = np.asarray(f1_score(labels, result, average=None), dtype=np.float64)
    shap = tree_contributions(model, values[sample], classes.size)
    return Surrogate(
        classes=classes,
        rows=used.size,
        folds=FOLDS,
        f1_weighted=float(np.average(each, weights=np.bincount(labels))),
        f1_macro=float(each.mean()),
        accuracy=float((labels == result).mean()),
        f1=each,
        sample=sample,
        shap=shap,
        parameters={
            **{name: value for name, value in parameters.items() if name != "num_threads"},
            "rounds": ROUNDS,
        },
        seconds=time.perf_counter() - start,
        model=model.model_to_string(),
    )


def tree_contributions(model: Any, values: FloatArray, classes: int) -> FloatArray:
    """Return SHAP values by LightGBM's contributions, without their base value.

    Parameters
    ----------
    model
        A ``lightgbm.Booster`` of several classes.
    values
        Shape (rows, features).
    classes
        How many it tells apart.

    Returns
    -------
    FloatArray
        Shape (rows, classes, features).
    """
    result = np.asarray(model.predict(values, pred_contrib=True))
    return result.reshape(len(values), classes, values.shape[1] + 1)[:, :, :-1]


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError(
            "explaining the segments needs LightGBM: pip install 'segmenthouse[report]', or from"
            " a checkout pip install -e '.[report]'"
        ) from error
    return lightgbm


def _drawn(
    rows: IntArray, labels: IntArray, wanted: int, generator: np.random.Generator
) -> IntArray:
    # Each group keeps its share, and at least as many rows as there are folds.
    if rows.size <= wanted:
        return rows
    parts = []
    for label in np.unique(labels):
        members = rows[labels == label]
        count = min(members.size, max(FOLDS, round(wanted * members.size / rows.size)))
        parts.append(generator.choice(members, count, replace=False))
    return np.sort(np.concatenate(parts))


def _fit(lightgbm: Any, parameters: dict[str, Any], values: FloatArray, labels: IntArray) -> Any:
    data = lightgbm.Dataset(values, labels, params=parameters)
    return lightgbm.train(parameters, data, num_boost_round=ROUNDS)


def _out_of_fold(
    lightgbm: Any, parameters: dict[str, Any], values: FloatArray, labels: IntArray, seed: int
) -> IntArray:
    from sklearn.model_selection import StratifiedKFold

    def predicted(fold: tuple[IntArray, IntArray]) -> tuple[IntArray, IntArray]:
        fitted, tried = fold
        model = _fit(lightgbm, parameters, values[fitted], labels[fitted])
        return tried, np.asarray(model.predict(values[tried])).argmax(axis=1)

    result = np.empty_like(labels)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for tried, groups in across_threads(predicted, folds.split(values, labels)):
        result[tried] = groups
    return result


def _rank_signs(values: FloatArray, shap: FloatArray) -> FloatArray:
    from scipy.stats import rankdata

    if values.size < 2:
        return np.full(shap.shape[1], np.nan)
    ranks = rankdata(values)
    shap_ranks = rankdata(shap, axis=0)
    product = ((ranks - ranks.mean())[:, None] * (shap_ranks - shap_ranks.mean(axis=0))).sum(axis=0)
    is_constant = (np.ptp(ranks) == 0) | (np.ptp(shap_ranks, axis=0) == 0)
    return np.where(is_constant, np.nan, np.sign(product))
