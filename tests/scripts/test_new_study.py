"""The command new_study: from a file of one's own to segments."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from models_py.base import settings
from models_py.commands import new_study, run_clustering
from models_py.commands.new_study import main
from models_py.studies.loading import load_study

ROWS = 400
SCRIPT = settings.repository() / "scripts" / "new_study.py"


def clients() -> pd.DataFrame:
    """Clients in four groups, with every kind of column that is no feature."""
    generator = np.random.default_rng(3)
    group = np.repeat([0, 1, 2, 3], ROWS // 4)
    numbers = np.arange(ROWS)
    return pd.DataFrame(
        {
            "client_id": [f"C{number:04d}" for number in numbers],
            "account": [f"C{number:04d}" for number in numbers],
            "email": [f"u{number}@example.org" for number in numbers],
            "row_number": numbers + 1,
            "age": (30 + 10 * group + generator.normal(0, 3, ROWS)).round(),
            "income": np.exp(10 + 0.4 * generator.normal(0, 1, ROWS)).round(2),
            "visits": generator.poisson(3 + 4 * group),
            "city": np.array(["Rome", "Oslo", "Bern"])[generator.integers(0, 3, ROWS)],
            "is_member": generator.integers(0, 2, ROWS) == 1,
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers % 90, "D"),
            "seen": [f"2021-0{1 + number % 9}-11" for number in numbers],
            "country": "IT",
            "note": [None] * (ROWS - 20) + ["call"] * 20,
            "tags": [["a", "b"]] * (ROWS - 1) + [["c"]],
            "churned": np.where(group > 1, "yes", "no"),
            "churn_reason": np.where(group > 1, "price", "none"),
        }
    )


def sales() -> pd.DataFrame:
    """A log of 40 customers; one line in eight comes back, and four lines are unsound."""
    generator = np.random.default_rng(4)
    lines = []
    for customer in range(40):
        day = pd.Timestamp("2021-01-01")
        for order in range(generator.integers(1, 7)):
            day += pd.Timedelta(days=int(generator.integers(1, 40)))
            for place in range(generator.integers(1, 4)):
                product = f"p{generator.integers(1, 9)}"
                basket = f"r{customer}-{order}"
                lines.append((f"c{customer}", str(day), f"{5 + place}.50", product, basket))
                if generator.random() < 0.125:
                    later = str(day + pd.Timedelta(days=2))
                    lines.append((f"c{customer}", later, "-5.50", product, f"b{basket}"))
    lines += [
        ("", "2021-01-01", "5", "p1", "x"),
        ("c1", "never", "5", "p1", "x"),
        ("c1", "2021-01-01", "free", "p1", "x"),
        ("c1", "2021-01-02", "0", "p1", "x"),
    ]
    return pd.DataFrame(lines, columns=["customer", "sold_at", "price", "sku", "receipt"])


@pytest.fixture
def files(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with clients.csv and sales.csv, in which the commands run."""
    monkeypatch.chdir(home)
    clients().drop(columns="tags").to_csv("clients.csv", index=False)
    sales().to_csv("sales.csv", index=False)
    return home


def asked(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "data" / "segmenthouse.duckdb"), read_only=True) as database:
        return database.execute(query).fetchall()


def test_help_runs_as_a_script_and_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0
    assert "python scripts/new_study.py --input clients.csv --id client_id" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"pandas", "numpy", "duckdb", "pydantic", "dbt"})


def test_types_are_guessed_and_leaks_and_identifiers_flagged(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    clients().to_parquet("clients.parquet")

    assert main(["--input", "clients.parquet", "--id", "client_id", "--label", "churned"]) == 0

    study = load_study("clients.toml")
    assert (study.table, study.entity, study.label) == ("gold.clients", "client_id", "churned")
    days = ["joined_days", "seen_days"]
    assert study.features.include == ["age", "income", "visits", "city", "is_member", *days]
    assert study.features.categorical == ["city"]
    left_out = dict(re.findall(r"left out: (\w+): (.+)", capsys.readouterr().out))
    assert left_out == {
        "account": "identifier: a copy of the id",
        "email": "identifier: 400 values on 400 rows",
        "row_number": "identifier: 400 values on 400 rows",
        "joined": "date: taken in as joined_days",
        "seen": "date: taken in as seen_days",
        "country": "constant: IT",
        "note": "constant: call on 20 rows, nothing on 380: write yes and no if it marks",
        "tags": "type VARCHAR[]: make numbers or text of it",
        "churned": "label: compared with the segments, not used to find them",
        "churn_reason": "leak: it tells the label of 100% of the rows",
    }
    text = Path("clients.toml").read_text()
    assert '    "city",  # category of 3 values (' in text
    assert '#   "email": identifier: 400 values on 400 rows' in text


def test_a_name_that_sounds_like_a_label_is_asked_about(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--input", "clients.csv", "--id", "client_id", "--json"]) == 0

    columns = {column["name"]: column for column in json.loads(capsys.readouterr().out)["columns"]}
    for name in ("churned", "churn_reason"):
        assert columns[name]["role"] == "left out"
        assert columns[name]["reason"].startswith("an outcome by its name: ")
        assert f"--label {name}" in columns[name]["reason"]
    assert columns["city"]["role"] == "category"


def test_names_with_wildcards_and_quotes_are_taken_as_they_are(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    odd = {'a "b"*': np.arange(50) % 7, "a[1]": np.arange(50) % 5, "key": np.arange(50)}
    pd.DataFrame(odd).to_parquet("odd.parquet")

    assert main(["--input", "odd.parquet", "--id", "key"]) == 0
    assert run_clustering.main(["--study", "odd.toml", "--json", "--k", "3"]) == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--input", "gone.csv", "--id", "x"], 2, "error: --input gone.csv: there is no such file"),
        (["--input", "gone", "--id", "x"], 2, "a table is schema.name"),
        (["--input", "clients.csv"], 2, "error: name the column that tells the rows apart: --id"),
        (["--input", "clients.csv", "--id", "city"], 1, "3 values on 400 rows"),
        (["--input", "clients.csv", "--id", "clientid"], 1, "did you mean 'client_id'?"),
        (["--input", "clients.csv", "--id", "client_id", "--label", "churn"], 1, "--label churn"),
        (["--input", "clients.csv", "--id", "client_id", "--name", "My"], 2, "such as my"),
        (["--input", "clients.csv", "--id", "client_id", "--time", "x"], 2, "--transactions"),
        (["--input", "sales.csv", "--transactions", "--customer", "c"], 2, "--time, --amount"),
        (["--input", "folder.csv", "--id", "x"], 2, "--input folder.csv: is a folder; name the"),
        (["--input", "empty.csv", "--id", "x"], 1, "error: empty.csv is empty"),
        (["--input", "junk.parquet", "--id", "x"], 1, "error: junk.parquet cannot be read: "),
        (["--input", "clients.csv", "--id", "client_id", "--output", "folder.csv"], 2, "a folder"),
        (
            ["--input", "clients.csv", "--id", "client_id", "--output", "empty.csv/x.toml"],
            2,
            "--output empty.csv/x.toml: cannot be written (",
        ),
    ],
)
def test_one_line_says_what_is_wrong(
    words: list[str], code: int, message: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "folder.csv").mkdir()
    (files / "empty.csv").touch()
    (files / "junk.parquet").write_text("no parquet")
    assert main(words) == code

    printed = capsys.readouterr().err.strip().splitlines()[-1]
    assert printed.startswith("error: ")
    assert message in printed
    assert not list(files.glob("*.toml"))


def test_a_mistyped_column_leaves_nothing_in_the_way(files: Path) -> None:
    words = ["--input", "clients.csv", "--id"]
    assert main([*words, "clientid"]) == 1
    assert main([*words, "city"]) == 1
    assert main([*words, "client_id", "--label", "churn"]) == 1
    assert main([*words, "client_id"]) == 0
    before = asked(files, "select count(*) from gold.clients")
    assert main([*words, "city", "--force"]) == 1
    assert asked(files, "select count(*) from gold.clients") == before


def test_nothing_is_replaced_unasked(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--input", "clients.csv", "--id", "client_id"]
    assert main(words) == 0
    assert main(words) == 2
    assert "clients.toml is there already" in capsys.readouterr().err
    assert main([*words, "--output", "other.toml"]) == 2
    assert "gold.clients is there already: load it anew with --force" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0

    with duckdb.connect(str(files / "data" / "segmenthouse.duckdb")) as database:
        database.execute("create table gold.theirs as select 1 as client_id")
    assert main([*words, "--name", "theirs", "--force"]) == 2
    assert "was not loaded by this command" in capsys.readouterr().err
    assert asked(files, "select count(*) from gold.theirs") == [(1,)]


def test_the_commands_of_the_readme_run_one_after_the_other(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (settings.repository() / "README.md").read_text()
    section = readme.split("## Your own data")[1].split("\n## ")[0]
    text = "\n".join(re.findall(r"```\n(.*?)```", section, flags=re.DOTALL)).replace("\\\n", " ")
    commands = [shlex.split(line) for line in text.splitlines() if line.startswith("python ")]
    assert len(commands) == 4

    for command in commands:
        run = {"new_study": new_study.main, "run_clustering": run_clustering.main}
        assert run[Path(command[1]).stem](command[2:]) == 0, capsys.readouterr().err

    assert asked(files, "select count(*) from results.my_study_latest") == [(ROWS,)]
    assert asked(
        files,
        "select count(*), count(distinct customer_id) from results.my_shop_latest"
        " inner join gold.my_shop_customers using (customer_id)",
    ) == [(40, 40)]
    check_log(files)


def check_log(home: Path) -> None:
    """The log's layers reconcile, and its features are what pandas makes of it."""
    rejected = asked(
        home, "select reason, row_count from silver.my_shop_rejections where row_count > 0"
    )
    assert dict(rejected) == {
        "customer_missing": 1, "time_unreadable": 1, "amount_unreadable": 1, "amount_zero": 1,
    }  # fmt: skip
    sound = sales().iloc[:-4].astype({"price": float})
    bought = sound[sound["price"] > 0].groupby("customer")
    expected = pd.DataFrame({"orders": bought["receipt"].nunique(), "spend": bought["price"].sum()})
    count = asked(home, "select customer_id, order_count, spend_amount from gold.my_shop_customers")
    assert {(name, orders) for name, orders, _ in count} == set(expected["orders"].items())
    assert {name: spend for name, _, spend in count} == pytest.approx(expected["spend"].to_dict())
    returned = (sound["price"] < 0).sum()
    ((matched, late),) = asked(
        home, "select sum(matched_unit_count), max(days_to_return) from silver.my_shop_returns"
    )
    assert (matched, late) == (returned, 2)
    with open("my_shop.toml", "rb") as stream:
        written = tomllib.load(stream)
    assert written["table"] == "gold.my_shop_customers"
    assert "expected_return_share" in written["features"]["include"]
    assert "first_order_on" not in written["features"]["include"]
