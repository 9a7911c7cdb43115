"""The command run_clustering over a small planted gold layer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from planted_gold import asked, gold_customers, planted_study, write_gold

from models_py.base import settings
from models_py.commands.run_clustering import main
from models_py.studies.listing import shipped_studies

SCRIPT = settings.repository() / "scripts" / "run_clustering.py"
HEAVY = {"duckdb", "sqlalchemy", "pandas", "pyarrow", "numpy", "sklearn", "scipy", "numba", "keras"}


@pytest.fixture
def warehouse(home: Path) -> Path:
    """The warehouse at the place where the home keeps it."""
    return write_gold(settings.warehouse_path(), gold_customers())


@pytest.fixture
def study(tmp_path: Path) -> str:
    """A quick study in a file."""
    content = planted_study().features.include
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "Mine"\ntable = "gold.grocery_customers"\nentity = "customer_id"\nseed = 11\n'
        f"[features]\ninclude = {json.dumps(content)}\n"
        '[outliers]\nmethod = "mahalanobis"\n[stability]\nrefits = 2\n'
        '[[algorithms]]\nname = "kmeans"\nk = [2, 4]\n'
    )
    return str(path)


def imported(stderr: str) -> set[str]:
    return {line.rsplit("|", 1)[-1].strip() for line in stderr.splitlines()}


@pytest.mark.parametrize("words", [["--help"], ["--list-studies"], ["--extras"]])
def test_what_reads_no_data_imports_nothing_heavy(words: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert imported(done.stderr).isdisjoint(HEAVY)


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert "python scripts/run_clustering.py --study grocery_lifestages" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["--sed", "3"], ["--seed", "x"], ["--k", "2.5"], ["extra"], ["--study"]]
)
def test_wrong_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert "usage: run_clustering.py" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--seed", "-1"], 2, "--seed -1: a seed is a whole number from 0 to 4294967295"),
        (["--k", "1"], 2, "--k 1: at least 2 segments"),
        (["--study", "grocery_custmers"], 1, "did you mean 'grocery_customers'?"),
        (["--study", "no/such.toml"], 1, "there is no file no/such.toml"),
        ([], 1, "there is no warehouse at"),
        (["--warehouse", "none.duckdb"], 1, "there is no warehouse at none.duckdb"),
    ],
)
def test_errors_are_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert main(words) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert [line for line in printed.err.splitlines() if line.startswith("error: ")] != []
    assert "Traceback" not in printed.err
    assert main([*words, "--json"]) == code
    printed = capsys.readouterr()
    assert message in json.loads(printed.out)["error"]
    assert printed.err == ""


def test_list_of_studies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-studies"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(shipped_studies())
    assert main(["--list-studies", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [study["name"] for study in content] == list(shipped_studies())
    assert {
        "name": "grocery_customers",
        "title": "Grocery customers",
        "table": "gold.grocery_customers",
    } in content


def test_extras(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--extras"]) == 0
    assert capsys.readouterr().out == "report\n"
    assert main(["--extras", "--study", "grocery_autoencoder"]) == 0
    assert capsys.readouterr().out == "autoencoder,report\n"
    assert main(["--extras", "--study", "grocery_autoencoder", "--no-report"]) == 0
    assert capsys.readouterr().out == "autoencoder\n"


def test_closing_table(warehouse: Path, study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--study", study]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[1] == "Mine: 3 segments of 240 rows of gold.grocery_customers"
    assert lines[3].split() == ["segment", "name", "size", "share", "stability"]
    rows = [line.split() for line in lines if "%" in line and line.lstrip()[0].isdigit()]
    assert [(row[0], row[-3:]) for row in rows] == [
        ("1", ["120", "50.0%", "1.00"]),
        ("2", ["80", "33.3%", "1.00"]),
        ("3", ["40", "16.7%", "1.00"]),
    ]
    assert any(line.strip().startswith("high: ") for line in lines)
    assert any(line.startswith("why these: ") for line in lines)
    assert any("python scripts/run_sql.py segment_value --study" in line for line in lines)
    steps = [line for line in printed.err.splitlines() if line.endswith(" s)")]
    assert len(steps) >= 6
    assert asked(warehouse, "select study, seed from results.runs") == [("mine", 11)]


def test_json_seed_and_k(
    warehouse: Path, study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = warehouse.rename(tmp_path / "elsewhere.duckdb")
    with Path(study).open("a") as file:
        file.write('[[algorithms]]\nname = "kmeans"\nk = [6, 7]\n')
    words = ["--study", study, "--warehouse", str(elsewhere), "--seed", "5", "--k", "4", "--json"]
    assert main(words) == 0
    out = capsys.readouterr()
    assert out.err == ""
    content = json.loads(out.out)
    assert (content["study"], content["rows_read"], content["previous_run_id"]) == (
        "mine",
        240,
        None,
    )
    assert [segment["segment_id"] for segment in content["segments"]] == [1, 2, 3, 4]
    assert sum(segment["size"] for segment in content["segments"]) == 240
    ((run_id, seed),) = asked(elsewhere, "select run_id, seed from results.runs")
    assert (run_id, seed) == (content["run_id"], 5)
    assert asked(elsewhere, "select k from results.model_search") == [(4,)]


def test_k_of_a_study_that_finds_its_own(
    home: Path, study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(study)
    path.write_text(path.read_text().replace('name = "kmeans"\nk = [2, 4]', 'name = "dbscan"'))
    assert main(["--study", study, "--k", "4"]) == 2
    assert "every algorithm of study mine finds its own number" in capsys.readouterr().err


def test_a_failed_run_is_one_line(
    warehouse: Path, study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--study", study, "--k", "500"]) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines()[-1].startswith("error: kmeans: k up to 500 needs more than")
    assert printed.out == ""
    assert asked(warehouse, "select status from results.runs") == [("failed",)]


def test_a_reader_that_leaves_early(warehouse: Path, study: str) -> None:
    command = [sys.executable, str(SCRIPT), "--study", study]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        result = running.stderr.read().decode()
        assert running.wait(timeout=120) == 0
    assert "Traceback" not in result
    assert "BrokenPipe" not in result
    assert asked(warehouse, "select status from results.runs") == [("done",)]


def test_a_report_is_written_unless_told(
    warehouse: Path, study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--study", study, "--no-report", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["report"] is None
    assert not settings.reports_dir().exists()
    assert main(["--study", study, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["report"] == str(
        settings.reports_dir() / "mine" / content["run_id"] / "index.html"
    )
    assert Path(content["report"]).read_text().startswith("<!DOCTYPE html>")


def test_a_report_that_fails_leaves_the_results(
    warehouse: Path, study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.reports_dir().write_text("a file where the folder should be")
    assert main(["--study", study]) == 1
    printed = capsys.readouterr()
    last = printed.err.splitlines()[-1]
    assert "is done and its results are there, but its report is not:" in last
    assert "write it with python scripts/write_report.py" in last
    assert "3 segments of 240 rows" in printed.out
    assert asked(warehouse, "select status from results.runs") == [("done",)]
    assert asked(warehouse, "select count(*) from results.assignments") == [(240,)]


def test_an_alternative_is_named_taken_and_said(
    warehouse: Path, study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--study", study, "--no-report"]
    assert main([*words, "--alternative", "1"]) == 1
    assert "has no finished run" in capsys.readouterr().err
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "or else, with --alternative 1 or 2:" in printed
    assert main([*words, "--alternative", "1"]) == 0
    assert "was taken in place of the study's own answer" in capsys.readouterr().out
    with duckdb.connect(str(warehouse), read_only=True) as database:
        named, taken = database.execute(
            "select list(k order by rank) as ks from results.answers"
            " inner join results.runs using (run_id) group by run_id, number order by number"
        ).fetchall()
        sizes = database.execute(
            "select count(*) from results.segments inner join results.runs using (run_id)"
            " group by run_id, number order by number"
        ).fetchall()
    assert taken[0] == [named[0][1]]
    assert sizes == [(named[0][0],), (named[0][1],)]
    # The numbers stay those of the study's own answer.
    assert main([*words, "--alternative", "9"]) == 2
    assert f"names 1: {named[0][1]} segments" in capsys.readouterr().err
    assert main([*words, "--alternative", "1", "--k", "3"]) == 2
