"""Write a first study of your own: a file or table with a row per customer, or a log."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.errors import DataError, UsageError
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import add_json, add_warehouse, command_parser

if TYPE_CHECKING:
    from models_py.database.connection import Warehouse
    from models_py.database.transactions import TransactionLog
    from models_py.studies.drafting import Draft

EXAMPLES = """\
examples:
  python scripts/new_study.py --input clients.csv --id client_id
  python scripts/new_study.py --input clients.parquet --id client_id --label churned
  python scripts/new_study.py --input gold.grocery_stores --id store_id --name my_stores
  python scripts/new_study.py --transactions --input sales.csv \\
      --customer customer --time sold_at --amount price --product sku --basket receipt

A file is loaded into the warehouse: as gold.NAME, or with --transactions as bronze.NAME_log, from
which dbt makes gold.NAME_customers, one row a customer. An amount below 0 is a return.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("new_study.py", __doc__, EXAMPLES)
    parser.add_argument(
        "--input", required=True, metavar="FILE|TABLE", help=".csv, .tsv, .parquet or schema.name"
    )
    parser.add_argument("--id", metavar="COLUMN", help="tells the rows apart")
    parser.add_argument("--label", metavar="COLUMN", help="known groups, to compare segments with")
    parser.add_argument("--name", help="of the study and the table (default: the file's)")
    parser.add_argument("--output", metavar="FILE", type=Path, help="default: NAME.toml")
    log = parser.add_argument_group("transaction log")
    log.add_argument("--transactions", action="store_true", help="a row per line bought")
    log.add_argument("--customer", metavar="COLUMN", help="who bought")
    log.add_argument("--time", metavar="COLUMN", help="when")
    log.add_argument("--amount", metavar="COLUMN", help="for how much; below 0 is a return")
    log.add_argument("--product", metavar="COLUMN", help="what")
    log.add_argument("--category", metavar="COLUMN", help="of what kind")
    log.add_argument("--basket", metavar="COLUMN", help="order (default: customer and day)")
    parser.add_argument(
        "--force", action="store_true", help="replace what this command wrote before"
    )
    add_warehouse(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    _check_options(asked)
    name = _name(asked)
    target = asked.output or Path(f"{name}.toml")
    _check_target(target, asked.force)
    with show_progress(quiet=asked.json) as progress:
        progress.step(f"reading {asked.input}")
        schema, table, source = _take_in(asked, name)
        entity = asked.id
        if asked.transactions:
            from models_py.database.dbt import build_customers

            progress.step("making customers' features (dbt build --selector custom)")
            log = _log(asked, schema, table, name)
            _check_log(asked, log)
            schema, table, entity = "gold", build_customers(log), "customer_id"
            source = f"made from {source.removeprefix('from ')}"
        progress.step("looking at the columns")
        draft = _draft(asked, name, schema, table, entity, source, target)
    from models_py.studies.drafting import draft_study

    target.write_text(draft_study(draft), encoding="utf-8")
    if asked.json:
        guesses = [asdict(guess) for guess in draft.guesses]
        output = {
            "study": str(target),
            "table": draft.table,
            "rows": draft.rows,
            "columns": guesses,
        }
        print(json.dumps(output, indent=2))
    else:
        _print(draft, target)
    return 0


def _check_target(target: Path, may_replace: bool) -> None:
    if target.is_dir():
        raise UsageError(f"--output {target}: is a folder; name a file in it")
    if target.exists() and not may_replace:
        raise UsageError(f"{target} is there already: give another --output, or --force")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--output {target}: cannot be written ({error.strerror})") from error


def _check_options(asked: argparse.Namespace) -> None:
    log = ("customer", "time", "amount", "product", "category", "basket")
    given = [f"--{option}" for option in log if getattr(asked, option) is not None]
    if not asked.transactions:
        if given:
            raise UsageError(f"{given[0]} goes with --transactions")
        if asked.id is None:
            raise UsageError("name the column that tells the rows apart: --id COLUMN")
        return
    missing = [f"--{option}" for option in log[:3] if getattr(asked, option) is None]
    if missing:
        raise UsageError(f"a transaction log needs {', '.join(missing)} COLUMN")
    for option in ("id", "label"):
        if getattr(asked, option) is not None:
            raise UsageError(f"--{option} goes without --transactions")
    if asked.warehouse is not None and asked.warehouse.resolve() != settings.warehouse_path():
        raise UsageError(
            "--transactions builds the warehouse of the home: leave out --warehouse and set"
            f" {settings.HOME_VARIABLE}"
        )


def _name(asked: argparse.Namespace) -> str:
    stem = Path(asked.input).name.split(".")[0] if _is_file(asked) else asked.input.split(".")[-1]
    given = asked.name or stem
    name = re.sub(r"[^a-z0-9]+", "_", given.lower()).strip("_")
    if not name or name[0].isdigit():
        raise UsageError(f"--name {given}: a name begins with a letter")
    if asked.name is not None and name != asked.name:
        raise UsageError(f"--name {asked.name}: write it with small letters, such as {name}")
    return name


def _is_file(asked: argparse.Namespace) -> bool:
    # schema.name has one dot and no folder; what ends like a file is one, there or not.
    text = str(asked.input)
    return Path(text).is_file() or bool(re.search(r"\.(csv|tsv|parquet)(\.gz)?$|[/\\]", text))


def _take_in(asked: argparse.Namespace, name: str) -> tuple[str, str, str]:
    from models_py.database.connection import open_warehouse
    from models_py.database.own_data import load_file, make_warehouse

    path = asked.warehouse or settings.warehouse_path()
    if asked.input and Path(asked.input).is_dir():
        raise UsageError(f"--input {asked.input}: is a folder; name the file in it")
    if not _is_file(asked):
        schema, _, table = asked.input.partition(".")
        if not schema or not table:
            raise UsageError(
                f"--input {asked.input}: there is no such file; a table is schema.name"
            )
        return schema, table, "of the warehouse"
    file = Path(asked.input).expanduser()
    if not file.is_file():
        raise UsageError(f"--input {asked.input}: there is no such file")
    make_warehouse(path)
    schema, table = ("bronze", f"{name}_log") if asked.transactions else ("gold", name)
    with open_warehouse(path) as warehouse:
        accept = partial(_accept, warehouse, asked, schema, table, name)
        load_file(warehouse, file, schema, table, anew=asked.force, accept=accept)
    return schema, table, f"from {file.name}"


def _accept(
    warehouse: Warehouse, asked: argparse.Namespace, schema: str, table: str, name: str
) -> None:
    # A wrong option must not leave a table behind that the right one then finds in its way.
    from models_py.database.own_data import check_id, require_columns

    if asked.transactions:
        require_columns(warehouse, schema, table, _log(asked, schema, table, name).columns)
        return
    check_id(warehouse, schema, table, asked.id)
    if asked.label is not None:
        require_columns(warehouse, schema, table, {"--label": asked.label})


def _log(asked: argparse.Namespace, schema: str, table: str, name: str) -> TransactionLog:
    from models_py.database.transactions import TransactionLog

    return TransactionLog(
        schema=schema,
        table=table,
        name=name,
        customer=asked.customer,
        time=asked.time,
        amount=asked.amount,
        product=asked.product,
        category=asked.category,
        basket=asked.basket,
    )


def _check_log(asked: argparse.Namespace, log: TransactionLog) -> None:
    from models_py.database.connection import open_warehouse
    from models_py.database.own_data import require_columns

    with open_warehouse(asked.warehouse or settings.warehouse_path()) as warehouse:
        require_columns(warehouse, log.schema, log.table, log.columns)


def _draft(
    asked: argparse.Namespace,
    name: str,
    schema: str,
    table: str,
    entity: str,
    source: str,
    target: Path,
) -> Draft:
    from models_py.database.connection import open_warehouse
    from models_py.database.own_data import check_id, column_facts, require_columns, row_count
    from models_py.studies.drafting import Draft, guess_roles

    path = asked.warehouse or settings.warehouse_path()
    with open_warehouse(path) as warehouse:
        check_id(warehouse, schema, table, entity)
        if asked.label is not None:
            require_columns(warehouse, schema, table, {"--label": asked.label})
        facts = column_facts(warehouse, schema, table, entity, asked.label)
        rows = row_count(warehouse, schema, table)
    guesses = guess_roles(facts, asked.label)
    if all(guess.role == "left out" for guess in guesses):
        raise DataError(f"no column of {schema}.{table} can be a feature: {guesses[0].reason}")
    return Draft(
        name=name,
        title=name.replace("_", " ").capitalize(),
        table=f"{schema}.{table}",
        entity=entity,
        label=asked.label,
        source=source,
        rows=rows,
        guesses=guesses,
        run_with=f"python scripts/run_clustering.py --study {target}",
    )


def _print(draft: Draft, target: Path) -> None:
    used = sum(guess.role != "left out" for guess in draft.guesses)
    print(f"{target}: {used} features of {draft.table} ({draft.rows:,} rows)")
    for guess in draft.guesses:
        if guess.role == "left out":
            print(f"  left out: {guess.name}: {guess.reason}")
    print("next:")
    print(f"  {draft.run_with}")
