"""Ask the warehouse one of the ready questions in sql/, or a question of your own in a file."""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import UsageError, near_match
from models_py.base.plurals import plural
from models_py.base.spreadsheet import spreadsheet_cell
from models_py.commands.exit_codes import end
from models_py.commands.options import add_warehouse, command_parser
from models_py.commands.table import print_table
from models_py.database.questions import Answer, Question, ask

EXAMPLES = """\
examples:
  python scripts/run_sql.py --list
  python scripts/run_sql.py sql/latest_segments.sql
  python scripts/run_sql.py latest_segments --format csv > segments.csv
  python scripts/run_sql.py sql/segment_profile.sql --param segment_id=3 --limit 20
  python scripts/run_sql.py rejected_rows --param study=retail_org

The warehouse is opened read-only, and nothing else is read without --allow-files. The file may
be a path or a name in sql/. A parameter is a DuckDB variable: the SQL reads
getvariable('segment_id'), which is null where it was not set, so that the same file runs in the
duckdb shell.
"""
WIDEST_CELL = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.format == "json")


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("run_sql.py", __doc__, EXAMPLES)
    parser.add_argument("file", nargs="?", metavar="FILE", help="SQL file, or its name in sql/")
    parser.add_argument(
        "--format",
        choices=list(WRITERS),
        default="table",
        help="default: table; csv and json are for programs and leave texts as they are;"
        " spreadsheet is a csv in which no text is taken for a formula",
    )
    add_warehouse(parser)
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
    question = find_question(asked.file)
    values = parse_parameters(asked.param, question)
    if "rejections" in question.parameters and "study" in values:
        values.setdefault("rejections", _rejections_of(str(values["study"]), asked.warehouse))
    if "waiting" in question.parameters:
        values.setdefault("waiting", _waiting_of(asked.warehouse))
    answer = ask(question, asked.warehouse, values, asked.limit, reads_files=asked.allow_files)
    write(question.purpose, answer)
    return 0


def _rejections_of(study: str, path: Path | None) -> str:
    # SQL cannot look up the name of a table that it reads.
    from models_py.database.connection import open_warehouse
    from models_py.database.rejections import rejections_of, studied_tables
    from models_py.studies.loading import load_study, shipped_studies

    name, known = study, []
    if study in shipped_studies() or study.endswith(".toml"):
        loaded = load_study(study)
        name, known = loaded.name, [loaded.schema_and_name[1]]
    with open_warehouse(path, read_only=True) as warehouse:
        return rejections_of(warehouse, study, [*known, *studied_tables(warehouse, name), name])


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
        (question.path.stem, question.purpose, ", ".join(question.parameters))
        for question in questions
    ]
    return Answer(["name", "purpose", "parameters"], list(rows))


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


def _write_table(purpose: str, answer: Answer) -> None:
    if purpose:
        print(purpose, end="\n\n")
    cells = [[_shown(value) for value in row] for row in answer.rows]
    figures = {
        place
        for place in range(len(answer.columns))
        if all(isinstance(row[place], (int, float, Decimal, type(None))) for row in answer.rows)
    }
    print_table(answer.columns, cells, figures, is_ruled=True)
    count = plural(len(cells), "row")
    print(f"\n{f'first {count}, there are more' if answer.more else count}")


def _shown(value: object) -> str:
    """Return a cell for people: few decimals, no line breaks, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, Decimal)):
        return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)
    text = value if isinstance(value, str) else _plain_text(value)
    text = " ".join(text.split())
    return text if len(text) <= WIDEST_CELL else f"{text[: WIDEST_CELL - 3]}..."


def _write_spreadsheet(purpose: str, answer: Answer) -> None:
    rows = [tuple(spreadsheet_cell(value) for value in row) for row in answer.rows]
    _write_csv(purpose, Answer(answer.columns, rows, answer.more))


def _write_csv(purpose: str, answer: Answer) -> None:  # noqa: ARG001
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in answer.rows:
        writer.writerow("" if value is None else _plain_text(value) for value in row)


def _write_json(purpose: str, answer: Answer) -> None:  # noqa: ARG001
    rows = [
        {name: _plain(value) for name, value in zip(answer.columns, row, strict=True)}
        for row in answer.rows
    ]
    print(json.dumps(rows, indent=2, ensure_ascii=False))


def _plain_text(value: object) -> str:
    """Return a value as text: a list or a struct as JSON, anything else as it prints."""
    plain = _plain(value)
    if isinstance(plain, (dict, list, bool)):
        return json.dumps(plain, ensure_ascii=False)
    return str(value if plain is None else plain)


def _plain(value: object) -> object:
    """Return a value that JSON has; numbers that it has not become null."""
    if isinstance(value, (float, Decimal)):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return str(value)


WRITERS: dict[str, Callable[[str, Answer], None]] = {
    "table": _write_table,
    "csv": _write_csv,
    "spreadsheet": _write_spreadsheet,
    "json": _write_json,
}
