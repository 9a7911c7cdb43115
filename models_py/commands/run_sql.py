"""Ask the warehouse one of the ready questions in sql/, or a question of your own."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import UsageError, near_match
from models_py.commands.answer_formats import WRITERS
from models_py.commands.exit_codes import end
from models_py.commands.options import add_warehouse, command_parser
from models_py.commands.question_values import study_values
from models_py.database.questions import Answer, Question, ask

EXAMPLES = """\
examples:
  python scripts/run_sql.py --list
  python scripts/run_sql.py sql/latest_segments.sql
  python scripts/run_sql.py latest_segments --study bank --format csv > segments.csv
  python scripts/run_sql.py segment_profile --param segment_id=3 --limit 20
  python scripts/run_sql.py segments_by_column --param column=job
  python scripts/run_sql.py "select count(*) from gold.bank_clients"
  python scripts/run_sql.py - --format parquet < question.sql > answer.parquet

The warehouse is opened read-only, and nothing else is read without --allow-files. Ready questions
are of the newest run, or of a study's with --study. A parameter is a DuckDB variable: the SQL
reads getvariable('segment_id'), which is null where it was not set, so that the same file runs in
the duckdb shell.
"""
SQL_ITSELF = r"\s*(--.*\n\s*)*(select|with|from|values|describe|show|summarize|pivot|unpivot)\s"
"""How a question begins that is no file's name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.format == "json")


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("run_sql.py", __doc__, EXAMPLES)
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="SQL file, its name in sql/, SQL itself, or -"
    )
    parser.add_argument(
        "--format",
        choices=list(WRITERS),
        default="table",
        help="default: table; csv and json are for programs and leave texts as they are;"
        " spreadsheet is a csv in which no text is taken for a formula; parquet is for > FILE",
    )
    add_warehouse(parser)
    parser.add_argument(
        "--study", metavar="NAME|FILE", help="whose newest run (default: the newest of all)"
    )
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the question; may be repeated",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="show the first N rows only")
    parser.add_argument(
        "--allow-files",
        action="store_true",
        help="let the SQL read files and the network too; without it the warehouse only",
    )
    parser.add_argument("--list", action="store_true", help="list the ready questions")
    return parser


def _run(asked: argparse.Namespace) -> int:
    if asked.limit is not None and asked.limit < 1:
        raise UsageError(f"--limit {asked.limit}: a limit is a whole number from 1")
    write = WRITERS[asked.format]
    if asked.list:
        write("ready questions; ask one with: python scripts/run_sql.py NAME", ready_questions())
        return 0
    if asked.file is None:
        raise UsageError("name a SQL file, or see the ready ones with --list")
    question = _question(asked.file)
    given = parse_parameters(asked.param, question)
    values = study_values(question, asked.study, given, asked.warehouse)
    if "waiting" in question.parameters:
        values.setdefault("waiting", _waiting_of(asked.warehouse))
    answer = ask(question, asked.warehouse, values, asked.limit, reads_files=asked.allow_files)
    write(question.purpose, answer)
    if not answer.rows and question.why_empty and asked.format == "table":
        print(f"why: {question.why_empty}")
    return 0


def _question(text: str) -> Question:
    """Return the question of a file, of a name in ``sql/``, of standard input or of SQL itself."""
    if text == "-":
        return Question(Path("standard input"), sys.stdin.read())
    if re.match(SQL_ITSELF, text, re.IGNORECASE) and not Path(text).is_file():
        return Question(Path("the SQL given"), text)
    return find_question(text)


def _waiting_of(path: Path | None) -> list[dict[str, str]] | None:
    # What waits beside the warehouse is in no table of it.
    from models_py.database.waiting import waiting_runs

    shown = [
        {
            "run_id": item.run_id,
            "study": item.study,
            "status": status,
            "said": item.problem or f"the next command that writes takes it in from {item.folder}",
        }
        for item, status in waiting_runs(path or settings.warehouse_path())
    ]
    for run in shown:
        print(f"{run['status']}: run {run['run_id']} of {run['study']}", file=sys.stderr)
    return shown or None


def ready_questions() -> Answer:
    """Return name, purpose and parameters of every file in ``sql/``."""
    questions = [_read(path) for path in sorted(settings.sql_dir().glob("*.sql"))]
    rows = [
        (question.path.stem, question.purpose, ", ".join(_parameters(question)))
        for question in questions
    ]
    return Answer(["name", "purpose", "parameters"], list(rows))


def _parameters(question: Question) -> list[str]:
    # Those that nobody needs to give are the study's: its table, the column that is its key.
    return [name for name in question.parameters if name not in ("gold", "entity", "rejections")]


def find_question(name: str) -> Question:
    """Return the SQL file of this path, or of this name in ``sql/``.

    Raises
    ------
    UsageError
        There is none; the message names the nearest one.
    """
    if name and Path(name).is_dir():
        raise UsageError(f"{name} is a folder: name the SQL file in it (or see --list)")
    stem = Path(name).name.removesuffix(".sql")
    for path in (Path(name), settings.sql_dir() / f"{stem}.sql"):
        if path.is_file():
            return _read(path)
    ready = [path.stem for path in settings.sql_dir().glob("*.sql")]
    raise UsageError(f"there is no SQL file '{name}'{near_match(stem, ready)} (see --list)")


def _read(path: Path) -> Question:
    try:
        return Question(path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error


def parse_parameters(words: Iterable[str], question: Question) -> dict[str, object]:
    """Return the values given as ``name=value``; numbers become numbers.

    Raises
    ------
    UsageError
        A word has no ``=``, or the question does not read such a parameter.
    """
    values: dict[str, object] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"--param {word}: write NAME=VALUE")
        if name not in question.parameters:
            known = ", ".join(question.parameters) or "none"
            raise UsageError(
                f"{question.path.name} reads no parameter '{name}'"
                f"{near_match(name, question.parameters)} (it reads {known})"
            )
        values[name] = _parse_value(text)
    return values


def _parse_value(text: str) -> object:
    """Take plain whole and decimal numbers for numbers; ``007`` and ``1e5`` stay text."""
    if re.fullmatch(r"-?(0|[1-9]\d{0,17})", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?(0|[1-9]\d{0,14})\.\d+", text) else text
