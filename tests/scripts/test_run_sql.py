"""The command run_sql: questions kept in files, asked read-only of a real warehouse."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.commands.run_sql import Question, main, parse_parameters

SCRIPT = settings.repository() / "scripts" / "run_sql.py"
SEGMENTS = """-- Segments by size, one or all of them.
select segment_id, name, size, share
from results.segments
where segment_id = coalesce(getvariable('segment_id'), segment_id)
order by size desc
"""


@pytest.fixture
def warehouse(home: Path) -> Path:
    """A warehouse with three segments at the place where the home keeps it."""
    path = settings.warehouse_path()
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema results")
        database.execute(
            "create table results.segments as from (values"
            " (1, 'often, little', 1500, 0.6075), (2, 'rare \"big\"', 969, 0.39247),"
            " (3, null, 0, null)) as given (segment_id, name, size, share)"
        )
    return path


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "segments.sql"
    path.write_text(SEGMENTS)
    return path


def write(folder: Path, sql: str) -> str:
    path = folder / "own.sql"
    path.write_text(sql)
    return str(path)


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "python scripts/run_sql.py sql/latest_segments.sql" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"duckdb", "sqlalchemy", "pandas", "pyarrow", "numpy", "rich"})


def test_table(warehouse: Path, question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(question)]) == 0
    assert capsys.readouterr().out == (
        "Segments by size, one or all of them.\n"
        "\n"
        "segment_id  name           size  share\n"
        "----------  -------------  ----  -----\n"
        "         1  often, little  1500    61%\n"
        '         2  rare "big"      969    39%\n'
        "         3                    0\n"
        "\n"
        "3 rows\n"
    )


def test_csv(warehouse: Path, question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(question), "--format", "csv"]) == 0
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["segment_id", "name", "size", "share"],
        ["1", "often, little", "1500", "0.6075"],
        ["2", 'rare "big"', "969", "0.39247"],
        ["3", "", "0", ""],
    ]


def test_json(warehouse: Path, question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(question), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0] == {"segment_id": 1, "name": "often, little", "size": 1500, "share": 0.6075}
    assert rows[2] == {"segment_id": 3, "name": None, "size": 0, "share": None}


def test_every_type_has_a_text(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(
        tmp_path,
        "select 'nan'::double as nan_value, true as flag, date '2024-02-29' as day,"
        " timestamp '2024-02-29 10:30:00' as moment, timestamptz '2024-02-29 10:30:00+00' as zoned,"
        " 1.50::decimal(9,2) as amount, [1, 2] as list_value, {'a': date '2024-01-01'} as pair,"
        " 170141183460469231731687303715884105727::hugeint as huge,"
        " 'a' || chr(10) || repeat('b', 80) as long_text",
    )
    assert main([file, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["nan_value"] is None
    assert row["flag"] is True
    assert (row["day"], row["moment"]) == ("2024-02-29", "2024-02-29 10:30:00")
    assert row["zoned"].startswith("2024-02-29 ")
    assert (row["amount"], row["list_value"], row["pair"]) == (1.5, [1, 2], {"a": "2024-01-01"})
    assert row["huge"] == 2**127 - 1
    assert main([file]) == 0
    table = capsys.readouterr().out
    assert "nan" in table
    assert "true" in table
    assert "b" * 80 in "".join(table.split())
    assert "2024-02-29 10:30" in table
    assert "10:30:00" not in table.partition("zoned")[0]
    assert main([file, "--format", "csv"]) == 0
    assert '"{""a"": ""2024-01-01""}"' in capsys.readouterr().out


def test_limit_says_that_there_is_more(
    warehouse: Path, question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(question), "--limit", "2"]) == 0
    assert capsys.readouterr().out.endswith("\nfirst 2 rows, there are more\n")
    assert main([str(question), "--limit", "3"]) == 0
    assert capsys.readouterr().out.endswith("\n3 rows\n")


def test_no_rows(warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "select segment_id from results.segments where false")
    assert main([file]) == 0
    assert capsys.readouterr().out == "segment_id\n----------\n\n0 rows\n"
    assert main([file, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_parameter(warehouse: Path, question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(question), "--param", "segment_id=2", "--format", "json"]) == 0
    assert [row["segment_id"] for row in json.loads(capsys.readouterr().out)] == [2]


def test_text_parameter_is_bound_not_pasted(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "select getvariable('who') as who, typeof(getvariable('who')) as kind")
    hostile = "x'; drop table results.segments; --"
    assert main([file, "--param", f"who={hostile}", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"who": hostile, "kind": "VARCHAR"}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-2", -2),
        ("0.5", 0.5),
        ("007", "007"),
        ("1e5", "1e5"),
        ("", ""),
        ("a=b", "a=b"),
        ("9" * 30, "9" * 30),
    ],
)
def test_values_of_parameters(text: str, value: object) -> None:
    question = Question(Path("q.sql"), "select getvariable('it')")
    parsed = parse_parameters([f"it={text}"], question)
    assert parsed == {"it": value}
    assert type(parsed["it"]) is type(value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["it"], "--param it: write NAME=VALUE"),
        (["ti=1"], "q.sql reads no parameter 'ti'.*it reads it"),
    ],
)
def test_wrong_parameters(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_parameters(words, Question(Path("q.sql"), "select getvariable( 'it' )"))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select\n  1 +\nfrom x", "own.sql, line 3: Parser Error: syntax error"),
        (
            "select * from results.segmnts",
            "own.sql, line 1: Catalog Error: Table with name segmnts",
        ),
        ("select 'a'::int", "own.sql, line 1: Conversion Error"),
        ("delete from results.segments", "read-only"),
        ("create table t as select 1", "read-only"),
        ("select 1 as a, 2 as a", "column 'a' is there twice"),
        ("-- nothing\n", "holds no query"),
    ],
)
def test_wrong_sql_is_one_line(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], sql: str, message: str
) -> None:
    assert main([write(tmp_path, sql)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    with duckdb.connect(str(warehouse), read_only=True) as database:
        assert database.execute("select count(*) from results.segments").fetchone() == (3,)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "name a SQL file"),
        (["no_such_question"], 2, "there is no SQL file 'no_such_question'"),
        ([str(settings.sql_dir())], 2, "is a folder: name the SQL file in it"),
        (["x.sql", "--limit", "0"], 2, "--limit 0: a limit is a whole number from 1"),
    ],
)
def test_wrong_usage(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert main(words) == code
    assert message in capsys.readouterr().err


def test_near_name(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latest_segments.sql").write_text(SEGMENTS)
    monkeypatch.setattr(settings, "sql_dir", lambda: tmp_path)
    assert main(["sql/latest_segmnts.sql"]) == 2
    assert "did you mean 'latest_segments'" in capsys.readouterr().err


def test_list(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latest_segments.sql").write_text(SEGMENTS)
    monkeypatch.setattr(settings, "sql_dir", lambda: tmp_path)
    assert main(["--list", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "latest_segments",
            "purpose": "Segments by size, one or all of them.",
            "parameters": "segment_id",
        }
    ]


def test_no_warehouse(home: Path, question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(question)]) == 1
    assert "there is no warehouse at" in capsys.readouterr().err
    assert main([str(question), "--format", "json"]) == 1
    assert "there is no warehouse at" in json.loads(capsys.readouterr().out)["error"]


def test_other_warehouse(
    warehouse: Path, question: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = warehouse.rename(tmp_path / "elsewhere.duckdb")
    assert main([str(question), "--warehouse", str(moved), "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_reader_that_leaves_early(warehouse: Path, tmp_path: Path) -> None:
    file = write(tmp_path, "select range as number from range(200000)")
    command = [sys.executable, str(SCRIPT), file, "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == b"number\n"
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(timeout=60) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('{file}')",
        "select * from '{file}'",
        "attach '{file}'; select 1",
        "copy (select 1) to '{file}.out'; select 1",
        "install httpfs; select 1",
        "set enable_external_access = true; select 1",
        "set temp_directory = '/tmp'; select 1",
    ],
)
def test_a_question_reads_the_warehouse_only(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], sql: str
) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a\n1\n")
    assert main([write(tmp_path, sql.format(file=file))]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not file.with_name("other.csv.out").exists()


def test_files_are_read_where_that_is_said(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a\n7\n")
    asked = write(tmp_path, f"select a from '{file}'")
    assert main([asked]) == 1
    assert "--allow-files" in capsys.readouterr().err
    assert main([asked, "--allow-files"]) == 0
    assert "7" in capsys.readouterr().out


def test_a_spreadsheet_runs_no_text(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = write(tmp_path, "select '=1+1' as a, -1 as b, '-x' as c")
    assert main([asked, "--format", "spreadsheet"]) == 0
    assert capsys.readouterr().out == "a,b,c\n'=1+1,-1,'-x\n"
    assert main([asked, "--format", "csv"]) == 0
    assert capsys.readouterr().out == "a,b,c\n=1+1,-1,-x\n"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            40,
            [
                "segment_id  name          what",
                "----------  ------------  ------------",
                "         1  one two       four five six",
                "            three         seven eight",
            ],
        ),
        (30, ["row 1", "segment_id  1", "name        one two", "            three"]),
    ],
)
def test_a_table_is_wrapped_to_the_terminal(
    warehouse: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    width: int,
    lines: list[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    words = "select 1 as segment_id, 'one two three' as name, 'four five six seven eight' as what"
    assert main([words]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert max(map(len, printed)) <= width
    said = " ".join(" ".join(printed).split())
    assert {"one", "two", "three", "four", "five", "six", "seven", "eight"} <= set(said.split())
    assert printed[0].split() == lines[0].split()


def test_sql_itself_and_standard_input(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["select count(*) as c from results.segments", "--format", "csv"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("from results.segments select max(size) as c"))
    assert main(["-", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "c\n3\nc\n1500\n"
    assert main(["select 1 +"]) == 1
    assert "the SQL given: Parser Error" in capsys.readouterr().err


def test_parquet(warehouse: Path, question: Path, tmp_path: Path) -> None:
    target = tmp_path / "answer.parquet"
    with target.open("wb") as file:
        command = [sys.executable, str(SCRIPT), str(question), "--format", "parquet"]
        subprocess.run(command, check=True, stdout=file, timeout=60)
    with duckdb.connect() as database:
        rows = database.execute(f"select * from '{target}'").fetchall()
    assert [str(value) for value in rows[1]] == ["2", 'rare "big"', "969", "0.39247"]


def test_a_study_goes_with_questions_that_read_it(
    warehouse: Path, question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(question), "--study", "bank"]) == 2
    assert "reads nothing of a study: leave out --study" in capsys.readouterr().err
    assert main(["latest_segments", "--study", "bank"]) == 1
    error = capsys.readouterr().err
    assert "study bank has no finished run" in error
    assert "did you mean 'bank'" not in error
