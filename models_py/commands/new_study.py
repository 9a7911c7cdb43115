"""Write a first study of your own: a file or table with a row per customer, or a log."""

from __future__ import annotations

import argparse
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import committed, settings
from models_py.base.errors import SegmenthouseError, StudyError, UsageError
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import (
    add_json,
    add_wait,
    add_warehouse,
    check_wait,
    command_parser,
)
from models_py.commands.reading_output import (
    add_reading_options,
    has_reading_options,
    print_reading,
    reading_json,
    reading_options,
)

if TYPE_CHECKING:
    from models_py.base.progress import Progress
    from models_py.database.connection import Warehouse
    from models_py.database.reading.loading import Loaded
    from models_py.database.reading.log import LogColumns
    from models_py.database.transactions import TransactionLog
    from models_py.sources.reading.record import Reading
    from models_py.describe.drafted_study import DraftedTable
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


LOG_OPTIONS = (
    "--customer",
    "--time",
    "--amount",
    "--product",
    "--category",
    "--channel",
    "--basket",
    "--quantity",
    "--unit-price",
    "--returns",
    "--where",
    "--currency",
    "--rate",
    "--purchases-negative",
)
LARGE_BYTES = 50_000_000
"""Of a file that takes longer to read than modules take to import."""
FILE_NAME = r"\.(csv|tsv|tab|txt|parquet|xlsx|xlsm|xls)(\.gz)?$|[/\\]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("new_study.py", __doc__, EXAMPLES)
    parser.add_argument(
        "--input",
        required=True,
        metavar="FILE|TABLE",
        help=".csv, .tsv, .txt (each also .gz), .xlsx, .parquet or schema.name",
    )
    parser.add_argument("--id", metavar="COLUMN", help="tells the rows apart; 'row' numbers them")
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
    log.add_argument("--channel", metavar="COLUMN", help="shop or channel, where")
    log.add_argument("--basket", metavar="COLUMN", help="order (default: customer and day)")
    log.add_argument("--quantity", metavar="COLUMN", help="how many; below 0 is a return")
    log.add_argument("--unit-price", metavar="COLUMN", help="of one; with --quantity, for --amount")
    log.add_argument(
        "--returns",
        metavar="COLUMN=VALUE",
        help="lines that came back: status=returned, invoice=C*",
    )
    log.add_argument(
        "--where", metavar="COLUMN=VALUE", help="lines that count: status!=cancelled,refused"
    )
    log.add_argument(
        "--purchases-negative",
        action="store_true",
        help="amounts below 0 are purchases, those above came back",
    )
    log.add_argument("--currency", metavar="COLUMN", help="of the amount")
    log.add_argument(
        "--rate",
        metavar="CODE=NUMBER",
        action="append",
        default=[],
        help="what one unit of a currency is worth, for each of several",
    )
    add_reading_options(parser)
    parser.add_argument(
        "--force", action="store_true", help="replace what this command wrote before"
    )
    add_warehouse(parser)
    add_wait(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    check_wait(asked)
    _check_options(asked)
    name = _name(asked)
    target = asked.output or Path(f"{name}.toml")
    _check_target(target, asked.force)
    _import_meanwhile(asked)
    with show_progress(quiet=asked.json) as progress:
        progress.step(f"reading {asked.input}")
        loaded = _take_in(asked, name, _recorded(asked, target))
        table = _customers_table(asked, loaded, name, progress)
        progress.step("looking at the columns")
        with _undone_on_failure(asked, loaded, name):
            from models_py.describe.drafted_study import draft_of, study_text

            path = asked.warehouse or settings.warehouse_path()
            run_with = f"python scripts/run_clustering.py --study {target}"
            draft = draft_of(path, table, run_with, asked.wait)
    text = study_text(draft, table)
    with _undone_on_failure(asked, loaded, name):
        _write(target, text)
    if loaded is not None:
        from models_py.database.reading.replacing import forget_earlier

        with _opened(asked) as warehouse:
            forget_earlier(warehouse, name, is_log=asked.transactions)
    if asked.json:
        guesses = [asdict(guess) for guess in draft.guesses]
        output = {
            "study": str(target),
            "table": draft.table,
            "rows": draft.rows,
            "columns": guesses,
        }
        print(json.dumps(output | (reading_json(loaded) if loaded else {}), indent=2))
    else:
        if loaded is not None:
            codes = {guess.name for guess in draft.guesses if guess.is_code}
            print_reading(loaded, _uses(asked), codes)
        _print(draft, target)
    return 0


def load_again(
    words: Sequence[str], recorded: Reading, check: Callable[[], None], progress: Progress
) -> Loaded:
    """Load a new file in the place of the one that a study was drafted from.

    The study stays as it is, and on any error so does what was loaded before.

    Parameters
    ----------
    words
        As this command is given them, without ``--force``.
    recorded
        How the study's file was read.
    check
        Asks whether the study can go on with what is loaded; it raises where it cannot.
    progress
        Shows each step.

    Raises
    ------
    SegmenthouseError
        The file cannot be read, dbt could not build from it, or ``check`` refuses it.
    """
    asked = _parser().parse_args([*words, "--force"])
    _check_options(asked)
    name = _name(asked)
    progress.step(f"reading {asked.input}")
    loaded = _take_in(asked, name, None if has_reading_options(asked) else recorded)
    if loaded is None:
        raise UsageError(f"--input {asked.input}: is a table, and a new file is to be loaded")
    _customers_table(asked, loaded, name, progress)
    from models_py.database.reading.replacing import forget_earlier

    with _undone_on_failure(asked, loaded, name):
        check()
    with _opened(asked) as warehouse:
        forget_earlier(warehouse, name, is_log=asked.transactions)
    return loaded


def _import_meanwhile(asked: argparse.Namespace) -> None:
    """Load what judges the columns while the database is busy with a large file."""
    file = Path(asked.input)
    if not asked.transactions and file.is_file() and file.stat().st_size > LARGE_BYTES:
        threading.Thread(target=_load_judges).start()


def _load_judges() -> None:
    """Import modules that take a second or more, and read compiled kernels from the disk."""
    import_module("sklearn.ensemble")
    import_module("models_py.describe.drafted_study")
    import numpy as np

    from models_py.features.structure import find_structure

    few = np.random.default_rng(0).normal(size=(100, 2))
    find_structure(few, (few[:, :1] > 0.0).astype(np.int64), 2, 0)


def _uses(asked: argparse.Namespace) -> dict[str, str] | None:
    if not asked.transactions:
        return None
    uses: dict[str, str] = {}
    for option, column in _log_columns(asked).named.items():
        before = f"{uses[column]}, " if column in uses else ""
        uses[column] = before + option.removeprefix("--").replace("-", " ")
    return uses


def _customers_table(
    asked: argparse.Namespace, loaded: Loaded | None, name: str, progress: Progress
) -> DraftedTable:
    """Return the table with a row per customer; of a log it is made first."""
    from models_py.describe.drafted_study import DraftedTable

    where = Path(asked.input).name if _is_file(asked) else asked.input
    if not asked.transactions:
        if loaded is None:
            schema, _, table = asked.input.partition(".")
            source = "of the warehouse"
            return DraftedTable(schema, table, asked.id, name, source, asked.label)
        source = f"from {where}"
        return DraftedTable("gold", name, loaded.entity, name, source, asked.label, loaded)
    from models_py.database.dbt import build_customers

    progress.step("making customers' features (dbt build --selector custom)")
    with _undone_on_failure(asked, loaded, name):
        made = build_customers(_log(asked, loaded, name))
    source = f"made from {where}"
    return DraftedTable("gold", made, "customer_id", name, source, None, loaded, is_log=True)


@contextmanager
def _undone_on_failure(
    asked: argparse.Namespace, loaded: Loaded | None, name: str
) -> Iterator[None]:
    # A load that leads to no study must not stand in the way of the next, or of the last.
    try:
        yield
    except (SegmenthouseError, KeyboardInterrupt):
        if loaded is not None:
            from models_py.database.reading.replacing import bring_back

            with _opened(asked) as warehouse:
                bring_back(warehouse, name, is_log=asked.transactions)
            committed.clear()
        raise


def _opened(asked: argparse.Namespace) -> AbstractContextManager[Warehouse]:
    from models_py.database.waiting import open_for_writing

    path = asked.warehouse or settings.warehouse_path()
    return open_for_writing(path, wait_seconds=asked.wait)


def _write(target: Path, text: str) -> None:
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        committed.rename(unfinished, target, f"the study is written to {target}")
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UsageError(f"--output {target}: cannot be written ({error.strerror})") from error


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
    given = [option for option in LOG_OPTIONS if getattr(asked, _attribute(option))]
    if not asked.transactions:
        if given:
            raise UsageError(f"{given[0]} goes with --transactions")
        if asked.id is None:
            raise UsageError(
                "name the column that tells the rows apart: --id COLUMN, or --id row to number them"
            )
        return
    priced = ("--unit-price", "--quantity") if asked.unit_price else ("--amount",)
    needed = ("--customer", "--time", *priced)
    missing = [option for option in needed if getattr(asked, _attribute(option)) is None]
    if missing:
        raise UsageError(f"a transaction log needs {', '.join(missing)} COLUMN")
    if asked.unit_price and asked.amount:
        raise UsageError("--amount is of a whole line, --unit-price of one: give one of them")
    for option in ("id", "label"):
        if getattr(asked, option) is not None:
            raise UsageError(f"--{option} goes without --transactions")
    if asked.warehouse is not None and asked.warehouse.resolve() != settings.warehouse_path():
        raise UsageError(
            "--transactions builds the warehouse of the home: leave out --warehouse and set"
            f" {settings.HOME_VARIABLE}"
        )


def _attribute(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


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
    return Path(text).is_file() or bool(re.search(FILE_NAME, text))


def _take_in(asked: argparse.Namespace, name: str, recorded: Reading | None) -> Loaded | None:
    """Load the file, or the log; a table with a row per customer is used where it is."""
    from models_py.database.waiting import open_for_writing
    from models_py.database.own_data import make_warehouse
    from models_py.database.reading.loading import load_customers, load_log

    path = asked.warehouse or settings.warehouse_path()
    if asked.input and Path(asked.input).is_dir():
        raise UsageError(f"--input {asked.input}: is a folder; name the file in it")
    source = _source(asked)
    if isinstance(source, tuple) and not asked.transactions:
        return None
    if isinstance(source, Path):
        make_warehouse(path)
    with open_for_writing(path, wait_seconds=asked.wait) as warehouse:
        if asked.transactions:
            columns = _log_columns(asked)
            options = reading_options(
                asked, ids=columns.ids, times=(columns.time,), numbers=columns.numbers
            )
            return load_log(
                warehouse,
                source,
                name,
                columns,
                options,
                anew=asked.force,
                accept_losses=asked.accept_losses,
                recorded=recorded,
            )
        assert isinstance(source, Path)
        return load_customers(
            warehouse,
            source,
            name,
            asked.id,
            reading_options(asked, ids=(asked.id,)),
            label=asked.label,
            anew=asked.force,
            accept_losses=asked.accept_losses,
            recorded=recorded,
        )


def _source(asked: argparse.Namespace) -> Path | tuple[str, str]:
    if not _is_file(asked):
        schema, _, table = asked.input.partition(".")
        if not schema or not table:
            raise UsageError(
                f"--input {asked.input}: there is no such file; a table is schema.name"
            )
        return schema, table
    file = Path(asked.input).expanduser()
    if not file.is_file():
        raise UsageError(f"--input {asked.input}: there is no such file")
    return file


def _recorded(asked: argparse.Namespace, target: Path) -> Reading | None:
    """Return how the study that is replaced read its file: a person may have corrected it."""
    if not target.is_file() or has_reading_options(asked):
        return None
    from models_py.studies.loading import load_study

    try:
        recorded = load_study(str(target)).reading
    except StudyError:
        return None
    return recorded if recorded is not None and recorded.file == Path(asked.input).name else None


def _log_columns(asked: argparse.Namespace) -> LogColumns:
    from models_py.database.reading.log import Condition, LogColumns

    return LogColumns(
        customer=asked.customer,
        time=asked.time,
        amount=asked.amount,
        unit_price=asked.unit_price,
        quantity=asked.quantity,
        product=asked.product,
        category=asked.category,
        channel=asked.channel,
        basket=asked.basket,
        returns=Condition.parse("--returns", asked.returns) if asked.returns else None,
        where=Condition.parse("--where", asked.where) if asked.where else None,
        currency=asked.currency,
        rates=_rates(asked.rate),
        is_negative=asked.purchases_negative,
    )


def _rates(given: Sequence[str]) -> dict[str, float]:
    rates = {}
    for text in given:
        code, _, number = text.partition("=")
        try:
            rates[code.strip().upper()] = float(number)
        except ValueError as error:
            raise UsageError(f"--rate {text}: write CODE=NUMBER, such as USD=0.92") from error
    return rates


def _log(asked: argparse.Namespace, loaded: Loaded | None, name: str) -> TransactionLog:
    """Return the log as it stands in the warehouse, its columns called by what they are."""
    from models_py.database.transactions import TransactionLog

    made = loaded.log if loaded is not None else None
    has_basket = made is not None and made.has_basket
    has_units = made is not None and made.has_whole_units
    return TransactionLog(
        schema="bronze",
        table=f"{name}_log",
        name=name,
        customer="customer",
        time="happened_at",
        amount="amount",
        product="product" if asked.product else None,
        category="category" if asked.category else None,
        channel="channel" if asked.channel else None,
        basket="basket" if has_basket else None,
        quantity="quantity" if has_units else None,
    )


def _print(draft: Draft, target: Path) -> None:
    used = sum(guess.role != "left out" for guess in draft.guesses)
    print(f"{target}: {used} features of {draft.table} ({draft.rows:,} rows)")
    for guess in draft.guesses:
        if guess.role == "left out":
            print(f"  left out: {guess.name}: {guess.reason}")
        for item in guess.missing:
            print(
                f"  missing: {guess.name}: {item.value:g} on {item.rows:,} rows stands for no value"
                " ([features.missing] in the study)"
            )
    print("next:")
    print(f"  {draft.run_with}")
