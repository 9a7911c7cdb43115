"""scikit-learn's own checks of an estimator, but for those that ask for another contract."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from segmenthouse import Segmenter

OTHER_CONTRACT = {
    "check_clustering": "labels are segment ids, from 1 as in the tables",
}


def _expected(_: Any) -> dict[str, str]:
    return OTHER_CONTRACT


@parametrize_with_checks([Segmenter()], expected_failed_checks=_expected)
def test_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)
