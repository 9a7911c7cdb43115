"""Retraining as a loop: drift, a challenger, its comparison, taking over and going back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from held_warehouse import held
from planted_gold import asked
from tests.models_py.runs.planted_house import FEATURES, TABLE, customers, run, study, write_gold

from models_py.base import settings
from models_py.base.errors import DataError
from models_py.base.progress import Silent
from models_py.commands import promote_run, run_clustering, run_sql
from models_py.database.connection import open_warehouse
from models_py.database.results import done_runs, latest_run, read_run_rows
from models_py.database import contract
from models_py.database.maintenance.integrity import check_warehouse, faults
from models_py.database.waiting import predecessor, recorded_predecessor, waiting_lock
from models_py.pipeline import Finished, run_study
from models_py.runs.challenge import Challenge, Check, compare_with_standing, promote, settle
from models_py.runs.finished_runs import find_run


@pytest.fixture
def recipe(home: Path) -> str:
    """The file of a quick study whose refits are measured."""
    path = home / "shop.toml"
    path.write_text(
        f'title = "Shop customers"\ntable = "{TABLE}"\nentity = "customer_id"\n'
        f"[features]\ninclude = {json.dumps(FEATURES)}\nlog1p = 'auto'\n"
        '[choose]\nby = "silhouette"\n[stability]\nrefits = 2\n'
        '[[algorithms]]\nname = "kmeans"\nk = 3\n'
    )
    return str(path)


def challenge_by(algorithm: str = "kmeans", k: int = 3) -> Finished:
    other = study(algorithms=[{"name": algorithm, "k": k}])
    return run_study(other, settings.warehouse_path(), 7, Silent(), is_challenger=True)


def statuses() -> dict[str, str]:
    return dict(asked(settings.warehouse_path(), "select run_id, status from results.runs"))


def view_run() -> str:
    ((run_id,),) = asked(
        settings.warehouse_path(), "select distinct run_id from results.shop_latest"
    )
    return str(run_id)


def standing() -> str:
    with open_warehouse(read_only=True) as warehouse:
        return find_run(warehouse, "shop").run_id


def test_a_run_that_has_not_drifted_stays(recipe: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_gold(settings.warehouse_path(), customers(400))
    words = ["--study", recipe, "--no-report", "--if-drifted"]
    assert run_clustering.main(words) == 0
    first = standing()
    assert run_clustering.main(words) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"keep: run {first} stays the answer for shop: nothing moved past its limit"
    )
    assert list(statuses()) == [first]


def test_one_that_has_is_challenged_and_gives_way(
    recipe: str, capsys: pytest.CaptureFixture[str]
) -> None:
    everybody = customers(800)
    write_gold(settings.warehouse_path(), everybody.iloc[:500])
    words = ["--study", recipe, "--no-report", "--json"]
    assert run_clustering.main(words) == 0
    first = json.loads(capsys.readouterr().out)["run_id"]
    write_gold(settings.warehouse_path(), everybody)
    assert run_clustering.main([*words, "--if-drifted"]) == 0
    done = json.loads(capsys.readouterr().out)
    comparison = done["challenge"]
    assert [check["measure"] for check in comparison["checks"]] == [
        "stability",
        "silhouette",
        "kept_share",
    ]
    assert comparison["took_over_from"] == first
    assert standing() == view_run() == done["run_id"]
    assert statuses() == {first: "done", done["run_id"]: "done"}
    recorded = asked(
        settings.warehouse_path(),
        "select measure, value, is_met from results.challenges order by measure",
    )
    assert [row[0] for row in recorded] == ["kept_share", "silhouette", "stability"]
    assert {row[0]: row[1] for row in recorded} == {
        check["measure"]: check["value"] for check in comparison["checks"]
    }
    assert promote_run.main(["--back", "--study", "shop"]) == 0
    assert standing() == view_run() == first
    assert statuses()[done["run_id"]] == "retired"


def test_a_worse_one_does_not_take_over(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run(study(), customers(overlap=0.1)).run_id
    worse = challenge_by(k=9)
    assert worse.is_challenger
    assert standing() == view_run() == first
    assert promote_run.main([worse.run_id, "--if-better"]) == 0
    assert "stays the answer" in capsys.readouterr().out
    assert statuses() == {first: "done", worse.run_id: "challenger"}
    assert run_sql.main(["latest_segments", "--study", "shop", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    # Its own page and rows are there all the same, and the next run goes by the standing one.
    with open_warehouse(read_only=True) as warehouse:
        assert len(read_run_rows(warehouse, contract.segments, worse.run_id)) == 9
        assert faults(check_warehouse(warehouse)) == []
    after = run(study())
    assert after.previous_run_id == first
    # The person decides.
    assert promote_run.main([worse.run_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["retired"] == [after.run_id]
    assert standing() == view_run() == worse.run_id


def test_silhouettes_are_those_of_the_rows_now(home: Path) -> None:
    from sklearn.metrics import silhouette_score

    from models_py.runs.storage import load_run_models

    first = run(study(encoding=[{"kind": "none"}]), customers(300)).run_id
    second = challenge_by(k=4).run_id
    checks = {check.measure: check for check in compare(second).checks}
    frame = customers(300)
    runs = [load_run_models(settings.models_dir(each), each) for each in (second, first)]
    labels = [each.score(frame)["segment_id"].astype(int).to_numpy() for each in runs]
    spaces = [each.partitions["all"].matrix.transform(frame) for each in runs]
    means = [sum(silhouette_score(s, label) for s in spaces) / 2 for label in labels]
    silhouette = checks["silhouette"]
    assert [silhouette.value, silhouette.standing_value] == pytest.approx(means, abs=1e-9)
    both = asked(
        settings.warehouse_path(),
        "select avg((a.segment_id = b.segment_id)::int) from results.assignments a join"
        f" results.assignments b using (entity_id) where a.run_id = '{first}'"
        f" and b.run_id = '{second}'",
    )
    assert checks["kept_share"].value == pytest.approx(both[0][0])


def compare(run_id: str) -> Challenge:
    return compare_with_standing(settings.warehouse_path(), run_id)


def test_what_is_not_measured_says_nothing() -> None:
    nan = float("nan")
    assert Check("stability", nan, 0.9, 0.85).is_met
    assert Check("stability", 0.1, nan, nan).is_met
    assert not Check("stability", 0.84, 0.9, 0.85).is_met


def test_another_standing_run_meanwhile_is_no_challenge(home: Path) -> None:
    run(study(), customers())
    challenge = compare(challenge_by().run_id)
    run(study())
    with pytest.raises(DataError, match="another run of shop stands by now"):
        settle(settings.warehouse_path(), challenge)
    assert asked(settings.warehouse_path(), "select count(*) from results.challenges") == [(0,)]


def test_a_first_run_challenges_nobody(home: Path) -> None:
    write_gold(settings.warehouse_path(), customers())
    only = challenge_by()
    assert not only.is_challenger
    assert statuses() == {only.run_id: "done"}


def test_wrong_use_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only = run(study(), customers()).run_id
    for words, code, message in (
        ([], 2, "name a run, or say --back"),
        (["--back", "--if-better"], 2, "--back compares nothing"),
        (["--back", "--study", "shop"], 1, f"no run before its standing run {only}"),
        ([only], 1, "is the standing run of shop already"),
        ([only[:-1]], 2, f"did you mean '{only}'?"),
    ):
        assert promote_run.main(words) == code
        assert message in capsys.readouterr().err


def test_a_challenger_waits_as_one(home: Path) -> None:
    first = run(study(), customers()).run_id
    path = settings.warehouse_path()
    other = study()
    with held(path, "read"):
        waiting = run_study(other, path, 7, Silent(), wait_seconds=0.2, is_challenger=True)
        assert waiting.waits_in is not None
        with waiting_lock(path), open_warehouse(path, read_only=True) as warehouse:
            # The next run goes by the standing one, and gives none of the challenger's ids.
            recorded = recorded_predecessor(warehouse, "shop")
            last, item = predecessor(path, "shop", recorded)
            assert (last.run_id, item) == (first, None)
    promote(path, waiting.run_id)
    promote(path, first)
    assert statuses() == {first: "done", waiting.run_id: "retired"}
    with open_warehouse(read_only=True) as warehouse:
        assert latest_run(warehouse, "shop") == first
        assert len(done_runs(warehouse, ["run_id"])) == 1
