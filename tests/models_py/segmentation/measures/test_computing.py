"""What is declared of the measures is computed, recorded and chosen by; nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from models_py.base.errors import StudyError
from models_py.database import contract
from models_py.segmentation.measures import computing
from models_py.studies.loading import check_study
from models_py.studies.measures import COMMON, CRITERIA, MEASURES, Measure

STUDY = {
    "name": "own",
    "title": "Own",
    "table": "gold.own",
    "entity": "id",
    "features": {"include": ["*"]},
    "algorithms": [{"name": "kmeans", "k": [2, 3]}],
}


def test_each_measure_is_a_column_of_the_search() -> None:
    columns = contract.model_search.columns
    assert {name: columns[name].comment for name in MEASURES} == {
        name: measure.description for name, measure in MEASURES.items()
    }


@pytest.mark.parametrize("name", CRITERIA)
def test_a_study_may_choose_by_each_criterion(name: str) -> None:
    assert check_study(STUDY | {"choose": {"by": name}}, "own.toml").choose.by == name
    assert MEASURES[name].better is not None


@pytest.mark.parametrize("name", sorted(set(MEASURES) - set(CRITERIA)))
def test_a_study_may_choose_by_nothing_else(name: str) -> None:
    with pytest.raises(StudyError, match=f"choose.by = '{name}': should be one of auto, rule, "):
        check_study(STUDY | {"choose": {"by": name}}, "own.toml")


def test_indices_are_named_for_their_space() -> None:
    points = np.array([[0.0], [1.0], [9.0], [10.0]])
    labels = np.array([0, 0, 1, 1])
    own = computing.index_figures(points, [labels, labels])
    common = computing.common_figures(own)
    assert {name.removeprefix(COMMON) for name in common} < set(own)
    assert {*own, *common} == {n for n, m in MEASURES.items() if m.stage == "index"}
    assert own["inertia"] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("change", ["declared", "computed"])
def test_a_measure_that_is_missing_is_an_error(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if change == "declared":
        extra = Measure("dunn", "Dunn", "index", "higher", "of no use here")
        monkeypatch.setitem(MEASURES, "dunn", extra)
    else:
        monkeypatch.delitem(MEASURES, "inertia")
    with pytest.raises(LookupError, match=r"dunn|inertia"):
        computing.check_complete()
