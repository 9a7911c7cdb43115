"""Files in random dialects: what is read equals what was written, or the command says why not.

One true table of transactions and one of customers is written in thousands of ways: separator,
quoting, encoding, byte-order mark, line ends, signs of numbers, dates, words for nothing and for
yes and no, currency signs, rows that are none, compressed or not. With ``--rows`` the time to
read, type and draft a large file is held against DuckDB's own reader.

Example::

    python benchmarks/reading.py --files 2000 --json
    python benchmarks/reading.py --files 0 --rows 5000000
"""

from __future__ import annotations

import argparse
import calendar
import datetime as dt
import gzip
import json
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from models_py.base.errors import SegmenthouseError
from models_py.database.connection import Warehouse, quoted
from models_py.database.reading.columns import ReadingOptions
from models_py.database.reading.loading import load_customers, load_log
from models_py.database.reading.log import LogColumns
from models_py.database.reading.replacing import forget_earlier

CITIES = (
    "Bad\nTölz",
    "L'Isle",
    "Köln",
    "Zürich",
    "São Paulo",
    "Malmö",
    "Ulm, Donau",
    'Bad "Ems"',
    "Nice",
    "Évry",
    "Graz",
)
PLANS = ("basic", "plus", "pro")
MISSING = ("", "NA", "N/A", "NULL", "-", "n/a", "NaN", "?", "none", "#N/A", "null")
TRUTHS = (("yes", "no"), ("Yes", "No"), ("Y", "N"), ("true", "false"), ("TRUE", "FALSE"),
          ("T", "F"), ("ja", "nein"), ("oui", "non"), ("1", "0"))  # fmt: skip
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
GERMAN = ["Jan", "Feb", "Mrz", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
LONG = list(calendar.month_name)[1:]
DATES: dict[str, Callable[[dt.datetime], str]] = {
    "iso": lambda day: f"{day:%Y-%m-%d}",
    "iso_slash": lambda day: f"{day:%Y/%m/%d}",
    "yyyymmdd": lambda day: f"{day:%Y%m%d}",
    "dotted": lambda day: f"{day:%d.%m.%Y}",
    "dotted_short": lambda day: f"{day:%d.%m.%y}",
    "day_first": lambda day: f"{day:%d/%m/%Y}",
    "month_first": lambda day: f"{day:%m/%d/%Y}",
    "bare_month_first": lambda day: f"{day.month}/{day.day}/{day.year}",
    "dashes": lambda day: f"{day:%d-%m-%Y}",
    "short_month": lambda day: f"{day.day:02d}-{MONTHS[day.month - 1]}-{day:%y}",
    "long_month": lambda day: f"{LONG[day.month - 1]} {day.day}, {day.year}",
    "german_month": lambda day: f"{day.day}. {GERMAN[day.month - 1]} {day.year}",
    "spreadsheet": lambda day: str((day - dt.datetime(1899, 12, 30)).days),
    "epoch": lambda day: str(int(day.replace(tzinfo=dt.UTC).timestamp())),
}
TIMES: dict[str, Callable[[dt.datetime], str]] = {
    "iso": lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}",
    "iso_t": lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}",
    "utc": lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    "offset": lambda moment: f"{moment + dt.timedelta(hours=-5):%Y-%m-%d %H:%M:%S} -0500",
    "am_pm": lambda moment: f"{moment:%m/%d/%Y %I:%M:%S %p}",
    "dotted": lambda moment: f"{moment:%d.%m.%Y %H:%M:%S}",
    "epoch": lambda moment: str(int(moment.replace(tzinfo=dt.UTC).timestamp())),
    "epoch_milliseconds": lambda moment: str(1000 * int(moment.replace(tzinfo=dt.UTC).timestamp())),
    "month": lambda moment: f"{moment.day} {MONTHS[moment.month - 1]} {moment:%Y %H:%M:%S}",
}


@dataclass(frozen=True)
class Dialect:
    """One way to write a table."""

    delimiter: str
    quoting: str
    encoding: str
    line_end: str
    packed: bool
    decimal: str
    thousands: str
    currency: str
    currency_behind: bool
    negative: str
    date: str
    moment: str
    missing: str
    truth: tuple[str, str]
    blank_after: bool
    last_line_end: bool
    preamble: str
    total: bool
    remark: bool
    blank_lines: bool
    description: bool
    header_again: bool
    trailing_delimiter: bool
    percent: bool
    quote: str
    trims_zeros: bool
    is_indian: bool
    whole_money: bool
    second: str


def random_dialect(draw: random.Random) -> Dialect:
    """Draw a dialect as some program, country or person would write it."""
    delimiter = draw.choice([",", ",", ",", ";", ";", "\t", "|"])
    decimal = (
        draw.choice([",", ",", "."]) if delimiter != "," else draw.choice([".", ".", ".", ","])
    )
    thousands = draw.choice(["", "", {".": ",", ",": "."}[decimal], " ", "\u00a0", "\u202f", "'"])
    encoding = draw.choice(
        ["utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"]
    )
    if encoding == "cp1252" and thousands == "\u202f":
        thousands = "\u00a0"
    quote = "'" if draw.random() < 0.05 else '"'
    if quote == "'" and thousands == "'":
        thousands = ""
    currency = draw.choice(["", "", "", "$", "€", "£", "EUR", "US$", "CHF"])
    return Dialect(
        delimiter=delimiter,
        quoting=draw.choice(["minimal", "minimal", "all", "words"]),
        encoding=encoding,
        line_end=draw.choice(["\n", "\n", "\r\n", "\r\n", "\r"]),
        packed=draw.random() < 0.2,
        decimal=decimal,
        thousands=thousands,
        currency=currency,
        currency_behind=draw.random() < 0.5,
        negative=draw.choice(["minus", "minus", "minus", "behind", "parentheses"]),
        date=draw.choice(list(DATES)),
        moment=draw.choice(list(TIMES)),
        missing=draw.choice(MISSING),
        truth=draw.choice(TRUTHS),
        blank_after=draw.random() < 0.15,
        last_line_end=draw.random() < 0.8,
        preamble=draw.choice(["", "", "", "", "sep", "title", "padded_title"]),
        total=draw.random() < 0.15,
        remark=draw.random() < 0.1,
        blank_lines=draw.random() < 0.1,
        description=draw.random() < 0.1,
        header_again=draw.random() < 0.05,
        trailing_delimiter=draw.random() < 0.05,
        percent=draw.random() < 0.5,
        quote=quote,
        trims_zeros=draw.random() < 0.2,
        is_indian=draw.random() < 0.1,
        whole_money=draw.random() < 0.05,
        # What a second hand wrote otherwise, from the middle of the file on.
        second=draw.choice(["dates", "decimals"]) if draw.random() < 0.03 else "",
    )


@dataclass
class Truth:
    """A table as it is, and how its columns are written."""

    names: list[str]
    kinds: list[str]
    rows: list[list[Any]] = field(default_factory=list)


def true_customers(draw: random.Random) -> Truth:
    """Draw customers with every kind of column."""
    names = ["client", "income", "visits", "score", "discount", "joined", "member", "city", "plan"]
    kinds = ["id", "money", "count", "number", "percent", "date", "truth", "text", "text"]
    truth = Truth(names, kinds)
    form = draw.choice(["C{:05d}", "{:06d}", "{}", "1234567890123456{:04d}", "K-{}"])
    has_small_days = draw.random() < 0.03
    for place in range(draw.randint(30, 90)):
        day = dt.datetime(2015, 1, 1) + dt.timedelta(days=draw.randint(0, 3500))
        if has_small_days:
            day = day.replace(day=1 + place % 12)
        row = [
            form.format(place + 1),
            round(draw.lognormvariate(7, 1.5), 2) * (-1 if draw.random() < 0.05 else 1),
            draw.randint(0, 3000),
            round(draw.gauss(0, 5), draw.choice([1, 2, 4])),
            float(draw.randint(0, 60)),
            day,
            draw.random() < 0.5,
            draw.choice(CITIES),
            draw.choice(PLANS),
        ]
        for column in range(1, len(row)):
            if draw.random() < 0.05 or (place == 2 and column in {1, 3, 5}):
                row[column] = None
        truth.rows.append(row)
    return truth


def true_log(draw: random.Random) -> Truth:
    """Draw transactions, some of which come back."""
    truth = Truth(
        ["customer", "sold_at", "amount", "sku", "receipt", "note"],
        ["id", "moment", "money", "text", "id", "text"],
    )
    form = draw.choice(["K{}", "{:05d}", "9{:011d}"])
    lines = draw.randint(40, 120)
    buyers = [form.format(draw.randint(1, 20)) for _ in range(lines)]
    for place in range(lines):
        moment = dt.datetime(2022, 1, 1) + dt.timedelta(seconds=draw.randint(0, 70_000_000))
        amount = round(draw.lognormvariate(4, 1.4) + 0.01, 2)
        truth.rows.append(
            [
                buyers[place // 2],
                moment,
                -amount if draw.random() < 0.1 else amount,
                f"P-{draw.randint(1, 30)}",
                f"R{place // 2}",
                draw.choice(["", "gift", "late", "Ümlaut"]) or None,
            ]
        )
    return truth


def number_text(value: float, digits: int, dialect: Dialect, *, money: bool) -> str:
    """Write a number as the dialect does."""
    whole, _, part = f"{abs(value):.{digits}f}".partition(".")
    if dialect.trims_zeros:
        part = part.rstrip("0")
    if dialect.thousands:
        head, tail = whole[:-3], whole[-3:]
        groups, size = [tail], 2 if dialect.is_indian else 3
        while head:
            head, tail = head[:-size], head[-size:]
            groups.insert(0, tail)
        whole = dialect.thousands.join(groups)
    text = whole + (dialect.decimal + part if part else "")
    if money and dialect.currency:
        sign = dialect.currency
        gap = " " if len(sign) > 1 or dialect.currency_behind else ""
        text = f"{text}{gap}{sign}" if dialect.currency_behind else f"{sign}{gap}{text}"
    if value >= 0:
        return text
    if dialect.negative == "parentheses":
        return f"({text})"
    return f"{text}-" if dialect.negative == "behind" else f"-{text}"


def cell_text(value: Any, kind: str, dialect: Dialect) -> str:
    """Write one value as the dialect does."""
    if value is None:
        return "" if kind == "id" else dialect.missing
    if kind in {"date", "moment"}:
        return (DATES[dialect.date] if kind == "date" else TIMES[dialect.moment])(value)
    if kind == "truth":
        return dialect.truth[0 if value else 1]
    if kind in {"percent", "money", "count", "number"}:
        cents = 0 if dialect.whole_money else 2
        digits = {"money": cents, "number": len(repr(value).partition(".")[2])}.get(kind, 0)
        sign = "%" if kind == "percent" and dialect.percent else ""
        return number_text(value, digits, dialect, money=kind == "money") + sign
    return str(value)


def _second(dialect: Dialect) -> Dialect:
    if dialect.second == "dates":
        is_iso = dialect.date.startswith("iso")
        other = "utc" if dialect.moment in {"am_pm", "dotted", "month"} else "dotted"
        return replace(dialect, date="day_first" if is_iso else "iso", moment=other)
    if dialect.second == "decimals":
        return replace(dialect, decimal="," if dialect.decimal == "." else ".", thousands="")
    return dialect


def file_bytes(truth: Truth, dialect: Dialect, draw: random.Random) -> bytes:
    """Write a table in a dialect."""
    middle = len(truth.rows) // 2
    rows = [[cell_text(v, k, dialect if place < middle else _second(dialect))
             for v, k in zip(row, truth.kinds, strict=True)]
            for place, row in enumerate(truth.rows)]  # fmt: skip
    words = [kind in {"text", "id"} for kind in truth.kinds]
    lines = [_line(truth.names, [True] * len(words), dialect)]
    if dialect.description:
        lines.append(_line(["what it is", *["in words"] * (len(words) - 1)], words, dialect))
    body = [_line(row, words, dialect) for row in rows]
    if dialect.header_again:
        body.insert(len(body) // 2, lines[0])
    if dialect.blank_lines:
        body.insert(draw.randrange(len(body)), "")
    lines += body
    if dialect.total:
        place = truth.kinds.index("money")
        total = sum(row[place] or 0.0 for row in truth.rows)
        cells = ["Total", *[""] * (len(words) - 1)]
        cells[place] = number_text(total, 2, dialect, money=True)
        lines.append(_line(cells, words, dialect))
    if dialect.remark:
        lines.append("# exported by the shop system")
    if dialect.preamble == "sep":
        lines.insert(0, f"sep={dialect.delimiter}")
    elif dialect.preamble == "title":
        lines[:0] = ["Customers of the shop", "made on a Monday", ""]
    elif dialect.preamble == "padded_title":
        lines.insert(0, dialect.delimiter.join(["Shop", *[""] * (len(words) - 1)]))
    text = dialect.line_end.join(lines) + (dialect.line_end if dialect.last_line_end else "")
    # Python's utf-16 writes a byte-order mark, utf-16-le none.
    raw = text.encode(dialect.encoding)
    return gzip.compress(raw) if dialect.packed else raw


def _line(cells: list[str], words: list[bool], dialect: Dialect) -> str:
    written = []
    for cell, is_word in zip(cells, words, strict=True):
        quote = dialect.quote
        needs = any(mark in cell for mark in (dialect.delimiter, quote, "\n", "\r"))
        asked = dialect.quoting == "all" or (dialect.quoting == "words" and is_word and cell)
        inner = cell.replace(quote, quote * 2)
        written.append(f"{quote}{inner}{quote}" if needs or asked else cell)
    mark = dialect.delimiter + (" " if dialect.blank_after and dialect.delimiter in ",;" else "")
    return mark.join(written) + (dialect.delimiter if dialect.trailing_delimiter else "")


@dataclass(frozen=True)
class Outcome:
    """What became of one file: ``equal``, ``stopped`` or ``different``, and why."""

    seed: int
    kind: str
    result: str
    why: str
    dialect: Dialect


def try_file(seed: int, folder: Path, warehouse: Warehouse) -> Outcome:
    """Write one file, read it, and hold what was read against what was written."""
    draw = random.Random(seed)
    kind = "log" if seed % 2 else "customers"
    truth = true_log(draw) if kind == "log" else true_customers(draw)
    dialect = random_dialect(draw)
    if dialect.whole_money:
        _drop_cents(truth)
    ending = draw.choice([".csv", ".txt", ".tsv" if dialect.delimiter == "\t" else ".csv"])
    path = folder / f"file_{seed}{ending}{'.gz' if dialect.packed else ''}"
    path.write_bytes(file_bytes(truth, dialect, draw))
    try:
        read = _log_rows(warehouse, path) if kind == "log" else _customer_rows(warehouse, path)
    except SegmenthouseError as error:
        result = "stopped" if "line " in str(error) else "stopped without a line"
        return Outcome(seed, kind, result, str(error), dialect)
    finally:
        path.unlink()
    wanted = _expected(truth, kind)
    why = _difference(wanted, read)
    return Outcome(seed, kind, "different" if why else "equal", why, dialect)


def _drop_cents(truth: Truth) -> None:
    place = truth.kinds.index("money")
    for row in truth.rows:
        if row[place] is not None:
            row[place] = float(round(row[place]) or 1)


def _customer_rows(warehouse: Warehouse, path: Path) -> list[list[Any]]:
    """Load a file as ``gold.made`` and return its rows, dates as they were and not as days."""
    options = ReadingOptions(ids=("client",))
    loaded = load_customers(warehouse, path, "made", "client", options, anew=True)
    chosen = ", ".join(quoted(name) for name in loaded.record.columns)
    rows = warehouse.rows(f"select {chosen} from gold.made order by rowid")
    forget_earlier(warehouse, "made", is_log=False)
    return [list(row) for row in rows]


def _log_rows(warehouse: Warehouse, path: Path) -> list[list[Any]]:
    """Load a log as ``bronze.made_log``, of which the warehouse makes all that follows."""
    columns = LogColumns("customer", "sold_at", "amount", product="sku", basket="receipt")
    options = ReadingOptions(ids=columns.ids, times=("sold_at",), numbers=("amount",))
    load_log(warehouse, path, "made", columns, options, anew=True)
    rows = warehouse.rows(
        "select customer, happened_at, amount, product, basket from bronze.made_log"
        " where left_out is null order by file_row"
    )
    forget_earlier(warehouse, "made", is_log=True)
    return [list(row) for row in rows]


def _expected(truth: Truth, kind: str) -> list[list[Any]]:
    if kind == "log":
        return [row[:5] for row in truth.rows]
    return truth.rows


def _difference(wanted: list[list[Any]], read: list[list[Any]]) -> str:
    if len(wanted) != len(read):
        return f"{len(read)} rows where {len(wanted)} were written"
    for line, (one, other) in enumerate(zip(wanted, read, strict=True)):
        for place, (value, got) in enumerate(zip(one, other, strict=False)):
            if not _same(value, got):
                return f"row {line}, column {place}: {got!r} where {value!r} was written"
    return ""


def _same(value: Any, got: Any) -> bool:
    if value is None or got is None:
        return value is None and got is None
    if isinstance(value, bool):
        return bool(got) == value and got in (0, 1)
    if isinstance(value, float | int):
        return isinstance(got, float | int) and math.isclose(value, got, rel_tol=1e-12)
    if isinstance(value, dt.datetime):
        return got in (value, value.date())
    return bool(value == got)


def try_files(count: int, first: int = 0) -> list[Outcome]:
    """Try that many files, each by its own seed."""
    warehouse = Warehouse(Path("memory"), duckdb.connect(config={"threads": 1}))
    try:
        with tempfile.TemporaryDirectory() as folder:
            seeds = range(first, first + count)
            return [try_file(seed, Path(folder), warehouse) for seed in seeds]
    finally:
        warehouse.close()


SPEED = """
import json, resource, sys, time
began = time.perf_counter()
{work}
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{"seconds": time.perf_counter() - began,
    "processor_seconds": used.ru_utime + used.ru_stime,
    "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""
BASELINE = """
import duckdb
duckdb.connect({database!r}).execute("create table t as select * from read_csv({file!r})")
"""
OURS = """
import os
os.environ["SEGMENTHOUSE_HOME"] = {home!r}
from models_py.commands.new_study import main
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()):
    assert main(["--input", {file!r}, "--id", "line", "--output", {study!r}, "--json"]) == 0
"""


def measure_speed(rows: int) -> dict[str, Any]:
    """Hold reading, typing and drafting a large file against DuckDB's reader, in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "large.csv"
        duckdb.connect().execute(
            "copy (select 'L' || i as line, 'C' || lpad(cast(hash(i) % 200000 as varchar), 6, '0')"
            " as customer, cast(timestamp '2022-01-01' + to_seconds(cast(hash(i + 1) % 63000000"
            " as bigint)) as varchar) as sold_at, round((hash(i + 2) % 20000) / 100.0, 2) as price,"
            " 'SKU-' || (hash(i + 3) % 5000) as sku, 'R' || (i // 3) as receipt,"
            " ['north', 'south', 'east', 'west'][cast(hash(i + 4) % 4 as integer) + 1] as region,"
            f" hash(i + 5) % 10 as quantity from range({rows}) as made(i))"
            f" to '{file}' (header)"
        )
        works = {
            "duckdb": BASELINE.format(database=str(folder / "base.duckdb"), file=str(file)),
            "segmenthouse": OURS.format(
                home=str(folder / "home"), file=str(file), study=str(folder / "large.toml")
            ),
        }
        taken = {
            who: json.loads(
                subprocess.run(
                    [sys.executable, "-c", SPEED.format(work=work)],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout.splitlines()[-1]
            )
            for who, work in works.items()
        }
        ratio = taken["segmenthouse"]["seconds"] / taken["duckdb"]["seconds"]
        of_processor = (
            taken["segmenthouse"]["processor_seconds"] / taken["duckdb"]["processor_seconds"]
        )
        size = file.stat().st_size
        ratios = {"ratio": ratio, "processor_ratio": of_processor}
        return {"rows": rows, "bytes": size, **taken, **ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=0, help="of the large file")
    parser.add_argument("--show", action="store_true", help="print every file that is not equal")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    began = time.perf_counter()
    outcomes = try_files(asked.files, asked.first_seed)
    counts: dict[str, int] = {"equal": 0, "stopped": 0, "stopped without a line": 0, "different": 0}
    for outcome in outcomes:
        counts[outcome.result] += 1
        if asked.show and outcome.result != "equal":
            print(f"{outcome.seed} {outcome.kind} {outcome.result}: {outcome.why}", file=sys.stderr)
    told: dict[str, Any] = {"files": asked.files, **counts}
    told["seconds"] = round(time.perf_counter() - began, 1)
    told["megabytes"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    if asked.rows:
        told["large"] = measure_speed(asked.rows)
    if asked.json:
        print(json.dumps(told, indent=2))
        return
    for name, value in told.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
