"""scikit-learn's own checks of an estimator, but for those that ask for another contract."""

from __future__ import annotations

from typing import Any

import pytest
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


def test_every_exception_is_needed() -> None:
    from sklearn.utils.estimator_checks import check_clustering

    for name in OTHER_CONTRACT:
        assert name == "check_clustering"
        with pytest.raises(AssertionError):
            check_clustering("Segmenter", Segmenter())
