"""From a file as an owner has it to a study, and the same file scored by its run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from models_py.commands import check_drift, new_study, run_clustering, score_customers

ROWS = 90


def german_clients() -> str:
    """Clients in three groups, as a German program writes them."""
    generator = np.random.default_rng(1)
    lines = ["Kunde;Umsatz;Besuche;Stadt;Mitglied;Seit"]
    for row in range(ROWS):
        group = row % 3
        spend = f"{1000 * (1 + 2 * group) + generator.normal(0, 60):,.2f}"
        spend = spend.replace(",", " ").replace(".", ",").replace(" ", ".")
        visits = "k.A." if row == 7 else str(3 + 9 * group + generator.integers(0, 3))
        city = ("Köln", "Zürich", "Graz")[generator.integers(0, 3)]
        member = ("ja", "nein")[generator.integers(0, 2)]
        day = f"{1 + row % 28:02d}.{1 + row % 12:02d}.{2018 + group}"
        lines.append(f"{row:05d};{spend} €;{visits};{city};{member};{day}")
    return "\r\n".join(lines) + "\r\n"


@pytest.fixture
def clients(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(home)
    path = home / "kunden.csv"
    path.write_bytes(german_clients().encode("cp1252"))
    return path


def asked(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "data" / "segmenthouse.duckdb"), read_only=True) as database:
        return database.execute(query).fetchall()


def test_the_file_that_made_a_study_is_scored_and_held_against_it(
    clients: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_study.main(["--input", "kunden.csv", "--id", "Kunde"]) == 0
    out = capsys.readouterr().out
    assert "kunden.csv: 90 lines after the header on line 1, cp1252, parted by semicolons" in out
    assert "number (unit €, decimal comma, dots for thousands)" in out
    assert "yes or no (ja or nein)" in out
    assert "1 ('k.A.')" in out
    assert asked(home, 'select typeof("Umsatz"), count("Besuche") from gold.kunden group by 1') == [
        ("DOUBLE", ROWS - 1)
    ]
    assert run_clustering.main(["--study", "kunden.toml", "--k", "3", "--no-report"]) == 0
    capsys.readouterr()

    words = ["--study", "kunden", "--input", "kunden.csv", "--json"]
    assert score_customers.main(words) == 0
    scored = json.loads(capsys.readouterr().out)
    assert (scored["customers"], scored["moved_customers"], scored["new_customers"]) == (ROWS, 0, 0)
    assert check_drift.main(words) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["segment_distance"] == 0


def test_what_a_person_corrects_holds_when_the_file_is_loaded_anew(
    clients: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--input", "kunden.csv", "--id", "Kunde"]
    assert new_study.main(words) == 0
    study = home / "kunden.toml"
    text = study.read_text()
    assert 'type = "number", decimal = ",", thousands = ".", unit = "€"' in text
    study.write_text(text.replace('"Besuche" = { type = "number"', '"Besuche" = { type = "text"'))
    assert new_study.main([*words, "--force"]) == 0
    assert asked(home, 'select distinct typeof("Besuche") from gold.kunden') == [("VARCHAR",)]
    # What is said on the command line goes before what was recorded.
    assert new_study.main([*words, "--force", "--text", "Stadt"]) == 0
    assert asked(home, 'select distinct typeof("Besuche") from gold.kunden') == [("BIGINT",)]


def test_repeated_ids_are_shown_and_copies_left_out(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    rows = [f"C{n},{n * 1.5},{n % 7}" for n in range(40)]
    Path("twice.csv").write_text("\n".join(["id,spend,visits", *rows, *rows[:3]]) + "\n")
    words = ["--input", "twice.csv", "--id", "id"]
    assert new_study.main([*words, "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    (loss,) = output["reading"]["losses"]
    assert (loss["reason"], loss["lines"], loss["line"]) == ("exact copy of another row", 3, 42)
    assert output["rows"] == 40
    Path("twice.csv").write_text("\n".join(["id,spend,visits", *rows, "C3,1,1"]) + "\n")
    assert new_study.main([*words, "--force"]) == 1
    assert "such as 'C3' on lines 5 and 42" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--customer day --time who --amount sum", "--time who: holds no times"),
        ("--customer who --time sum --amount day", "--time sum: holds"),
        ("--customer sum --time day --amount sum", "--customer sum: holds amounts"),
        ("--customer who --time day --amount who", "'who': holds no numbers"),
        ("--customer who --time day --amount gone", "--amount gone: log.csv has no"),
        ("--customer who --time day --amount sum --where who", "--where who: write COLUMN=VALUE"),
        ("--customer order --time day --amount sum --basket who", "are they swapped?"),
    ],
)
def test_wrong_columns_are_named_before_anything_is_built(
    words: str,
    message: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(home)
    lines = [f"K{n % 4},2024-01-{1 + n % 28:02d},{n + 1}.50,R{n}" for n in range(40)]
    Path("log.csv").write_text("\n".join(["who,day,sum,order", *lines]) + "\n")
    assert new_study.main(["--transactions", "--input", "log.csv", *words.split()]) in {1, 2}
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not list(home.glob("*.toml"))
    if (home / "data" / "segmenthouse.duckdb").is_file():
        assert asked(home, "select table_name from information_schema.tables") == []


def test_help_names_how_a_file_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        new_study.main(["--help"])
    out = capsys.readouterr().out
    for option in ("--decimal", "--date-order", "--time-zone", "--accept-losses", "--unit-price"):
        assert option in out
