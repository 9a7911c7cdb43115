"""Grocery lines made up at any size, week by week, in the layout of Sort-of-Real.

Every value is a hash of the seed and of what it belongs to, so that a week is the same whatever
other weeks are made, and however many threads make them. One statement streams a week into its
file: memory does not grow with the lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from models_py.base.errors import SourceError, UsageError
from models_py.base.progress import Progress
from models_py.base.sql_text import literal

Format = Literal["parquet", "csv", "csv.gz"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "csv.gz")
TRUTH = "true_segments.parquet"
FIRST_MONDAY = date(2006, 4, 10)
FIRST_WEEK = 200607
WEEKS_A_YEAR = 52
MOST_WEEKS = 1_000
MOST_CUSTOMERS = 100_000_000
WALK_INS = 4
"""For every so many customers there is another shopper without a customer code."""
SLOTS = 256
STORES = {"LS": 330, "XLS": 28, "MS": 236, "SS": 167}
WORDS = {
    "life_stage": "YA OA YF OF PE OT",
    "price_sensitivity": "LA MM UM",
    "mission": "Fresh Grocery Mixed Nonfood XX",
    "kind": "Full_Shop Top_Up Small_Shop",
    "size": "S M L",
}
"""The words of each small text column; as enumerations they are written three times as fast."""
REGIONS = ["E01", "E02", "E03", "N01", "N02", "N03", "S01", "S02", "S03", "W01", "W02", "W03"]
PRODUCTS = (380, 1_780, 1_780, 130, 730, 6, 2, 160, 20)
"""Products of each of the nine departments."""


@dataclass(frozen=True)
class Segment:
    """How the customers of one planted segment shop.

    Attributes
    ----------
    share
        Of all customers, in hundredths.
    visits
        Mean baskets a week.
    full, top_up
        Share of baskets that are a full shop or a top up; the rest are small shops.
    weekend
        Share of baskets on Saturday and Sunday.
    departments
        Weight of each of the nine departments among the lines.
    first_week, last_week
        Weeks from the first in which customers begin and stop, spread evenly; None: always there.
    """

    name: str
    share: int
    visits: float
    full: float
    top_up: float
    hour: int
    weekend: float
    life_stage: str
    price_sensitivity: str
    store_format: str
    mission: str
    departments: tuple[int, ...]
    first_week: int | None = None
    last_week: int | None = None


SEGMENTS = (
    Segment("family full shops", 20, 0.85, 0.40, 0.35, 17, 0.55, "YF", "MM", "XLS", "Mixed",
            (6, 42, 32, 2, 14, 1, 0, 2, 1)),
    Segment("pensioners nearby", 18, 1.10, 0.05, 0.60, 10, 0.10, "PE", "LA", "MS", "Grocery",
            (18, 40, 33, 0, 7, 0, 0, 1, 1)),
    Segment("fresh and premium", 16, 0.80, 0.15, 0.55, 19, 0.30, "OA", "UM", "LS", "Fresh",
            (4, 72, 16, 1, 5, 0, 0, 1, 1)),
    Segment("evening top ups", 22, 0.75, 0.02, 0.35, 20, 0.25, "YA", "MM", "SS", "Fresh",
            (10, 50, 25, 1, 10, 2, 0, 1, 1)),
    Segment("household goods", 10, 0.35, 0.20, 0.40, 14, 0.45, "OT", "LA", "LS", "Nonfood",
            (6, 20, 22, 8, 28, 1, 1, 13, 1)),
    Segment("gone", 8, 0.80, 0.20, 0.45, 15, 0.30, "OF", "MM", "LS", "Mixed",
            (8, 45, 32, 1, 11, 0, 0, 2, 1), last_week=60),
    Segment("newly come", 6, 0.80, 0.20, 0.45, 15, 0.30, "OA", "MM", "LS", "Mixed",
            (8, 45, 32, 1, 11, 0, 0, 2, 1), first_week=50),
)  # fmt: skip


@dataclass(frozen=True)
class Generated:
    """What was written: the files of weeks, and how many lines they hold."""

    folder: Path
    files: tuple[Path, ...]
    lines: int


def generate(
    folder: Path,
    *,
    customers: int,
    weeks: int,
    first: int = 1,
    seed: int = 0,
    form: Format = "parquet",
    threads: int = 2,
    replace: bool = False,
    progress: Progress,
) -> Generated:
    """Write weekly files of grocery lines, ``time.csv`` and the true segments.

    Parameters
    ----------
    folder
        Where to; made if missing.
    customers
        Customers with a code; not all of them shop in every week.
    weeks, first
        The last and the first week to write, counted from 1 (200607). Files of earlier weeks may
        stand there already; a week does not depend on the others.
    seed
        Another one gives other lines.
    form
        Of the weekly files.
    threads
        Weeks made at the same time; the files are the same to the byte.
    replace
        Write over files that are there.
    progress
        Shows the weeks.

    Raises
    ------
    UsageError
        A number is out of bounds.
    SourceError
        A file is there already.
    """
    _demand("customers", customers, 1, MOST_CUSTOMERS)
    _demand("weeks", weeks, 1, MOST_WEEKS)
    _demand("first", first, 1, weeks)
    _demand("threads", threads, 1, 256)
    _demand("seed", seed, 0, 2**62)
    paths = {
        week: folder / f"transactions_{shop_week(week)}.{form}" for week in range(1, weeks + 1)
    }
    wanted = [week for week in paths if week >= first]
    if not replace:
        _demand_free(folder, [paths[week] for week in wanted])
    with _writing(folder):
        return _write(folder, paths, customers, wanted, seed, form, threads, progress)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say in one line where the disk or the database does not take the files."""
    import duckdb

    try:
        yield
    except OSError as error:
        raise SourceError(f"{error.filename or folder}: {error.strerror or error}") from error
    except duckdb.IOException as error:
        raise SourceError(f"{folder}: {str(error).splitlines()[0]}") from error


def _write(
    folder: Path,
    paths: dict[int, Path],
    customers: int,
    wanted: list[int],
    seed: int,
    form: Format,
    threads: int,
    progress: Progress,
) -> Generated:
    """Write the calendar, the truth and every wanted week."""
    folder.mkdir(parents=True, exist_ok=True)
    weeks = max(paths)
    (folder / "time.csv").write_text("\n".join(_calendar(weeks)) + "\n")
    _copy(_truth(customers, seed), folder / TRUTH, "parquet")
    progress.step(f"making {len(wanted)} weeks")
    lines = 0
    with ThreadPoolExecutor(threads) as pool:
        written = pool.map(
            lambda week: _copy(_lines(customers, week, seed), paths[week], form), wanted
        )
        for done, count in enumerate(written, start=1):
            lines += count
            progress.advance(done, len(wanted))
    return Generated(folder, tuple(paths[week] for week in wanted), lines)


def shop_week(week: int) -> int:
    """Return the name YYYYWW of the n-th week."""
    place = FIRST_WEEK % 100 - 1 + week - 1
    return (FIRST_WEEK // 100 + place // WEEKS_A_YEAR) * 100 + place % WEEKS_A_YEAR + 1


def _demand(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"--{name} is {value:,}; it can be {least:,} to {most:,}")


def _demand_free(folder: Path, wanted: list[Path]) -> None:
    """Refuse to write over a week, or beside the same week in another form."""
    names = {path.name.split(".")[0] for path in wanted}
    there = sorted(p for p in folder.glob("transactions_*") if p.name.split(".")[0] in names)
    if there:
        raise SourceError(
            f"{there[0]}: is there already; name the first new week with --first, another folder"
            " with --output, or --replace"
        )


def _calendar(weeks: int) -> Iterator[str]:
    yield "shop_week,date_from,date_to"
    for week in range(1, weeks + 1):
        monday = FIRST_MONDAY + timedelta(weeks=week - 1)
        yield f"{shop_week(week)},{monday:%Y%m%d},{monday + timedelta(days=6):%Y%m%d}"


def _copy(query: str, path: Path, form: Format) -> int:
    """Run a query in one thread, in its own order, into a file that is there whole or not."""
    import duckdb

    part = path.with_name(f".{path.name}.part")
    options = {
        "parquet": "format parquet, compression zstd",
        "csv": "format csv, header",
        "csv.gz": "format csv, header, compression gzip",
    }[form]
    try:
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            for statement in _small_tables():
                connection.execute(statement)
            copied = connection.execute(f"copy ({query}) to {literal(str(part))} ({options})")
            (count,) = copied.fetchone() or (0,)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return int(count)


def _small_tables() -> Iterator[str]:
    """Make the tables of segments, shelves, products and stores that the lines refer to."""
    for name, words in WORDS.items():
        listed = ", ".join(literal(word.replace("_", " ")) for word in words.split())
        yield f"create type {name}_word as enum ({listed})"
    segments, upto = [], 0
    for number, s in enumerate(SEGMENTS):
        texts = (s.name, s.life_stage, s.price_sensitivity, s.store_format, s.mission)
        quoted = ", ".join(map(literal, texts))
        first_store = _first_store(s.store_format)
        segments.append(
            f"({number}, {upto}, {upto + s.share}, {s.visits}, {s.full}, {s.top_up}, {s.hour},"
            f" {s.weekend}, {s.first_week or 'null'}, {s.last_week or 'null'}, {first_store},"
            f" {STORES[s.store_format]}, {quoted})"
        )
        upto += s.share
    yield (
        "create table segments as select * replace (life_stage::life_stage_word as life_stage,"
        " price_sensitivity::price_sensitivity_word as price_sensitivity,"
        f" mission::mission_word as mission) from (values {', '.join(segments)}) as given (segment,"
        " low, high, visits, full_share, top_up_share, hour, weekend, first_week, last_week,"
        " first_store, store_count, name, life_stage, price_sensitivity, store_format, mission)"
    )
    yield (
        f"create table shelves as from (values {', '.join(_shelves())}) as given"
        " (shelf, low, width, first_product, product_count)"
    )
    yield from _with_enumerations("products", "product", _products())
    formats = [f for f, count in STORES.items() for _ in range(count)]
    stores = [
        f"({number}, 'STORE{number + 1:05}', '{form}', '{REGIONS[number * 7 % len(REGIONS)]}')"
        for number, form in enumerate(formats)
    ]
    yield from _with_enumerations(
        "stores",
        "store",
        f"from (values {', '.join(stores)}) as given"
        " (store, store_code, store_format, store_region)",
    )


def _with_enumerations(table: str, thing: str, query: str) -> Iterator[str]:
    """Make a table whose columns of codes are enumerations."""
    codes = {
        "products": ("product_code", "class_code", "group_code", "division_code",
                     "department_code"),
        "stores": ("store_code", "store_format", "store_region"),
    }[table]  # fmt: skip
    yield f"create temp table given_{table} as {query}"
    for code in codes:
        yield f"create type {code}_word as enum (select distinct {code} from given_{table})"
    made = ", ".join(f"{code}::{code}_word as {code}" for code in codes)
    yield f"create table {table} as select * replace ({made}) from given_{table} order by {thing}"


def _first_store(form: str) -> int:
    formats = list(STORES)
    return sum(STORES[other] for other in formats[: formats.index(form)])


def _shelves() -> Iterator[str]:
    """Part the numbers from 0 to 1 into slots, as a segment fills them with departments.

    ``low`` and ``width`` of a slot are those of its whole department.
    """
    firsts = [sum(PRODUCTS[:place]) for place in range(len(PRODUCTS))]
    for number, segment in enumerate(SEGMENTS):
        total = sum(segment.departments)
        ends = [
            round(SLOTS * sum(segment.departments[: place + 1]) / total)
            for place in range(len(PRODUCTS))
        ]
        begin = 0
        for first, count, end in zip(firsts, PRODUCTS, ends, strict=True):
            for slot in range(begin, end):
                low, width = begin / SLOTS, (end - begin) / SLOTS
                yield f"({number * SLOTS + slot}, {low}, {width}, {first}, {count})"
            begin = end


def _products() -> str:
    """Products in departments; classes, groups and divisions follow from their number."""
    ends = [sum(PRODUCTS[: place + 1]) for place in range(len(PRODUCTS))]
    department = " ".join(
        f"when product < {end} then {place}" for place, end in enumerate(ends, start=1)
    )
    return f"""
        select
            product,
            printf('PRD09%05d', product + 1) as product_code,
            printf('CL%05d', product // 20 + 1) as class_code,
            printf('DEP%05d', product // 60 + 1) as group_code,
            printf('G%05d', product // 180 + 1) as division_code,
            printf('D%05d', case {department} end) as department_code,
            cast(40 + floor(exp(hash(product) % 1000 / 1000.0 * 3.2) * 18) as integer) as cents
        from (select cast(range as integer) as product from range({sum(PRODUCTS)}))
    """


def _shoppers(customers: int, seed: int) -> str:
    """Everybody's segment and pace; those without a code come after the customers."""
    everybody = customers + customers // WALK_INS
    return f"""
        select
            shoppers.shopper,
            shoppers.shopper < {customers} as is_customer,
            shoppers.fate,
            segments.*
        from (
            select range as shopper, hash(range, {seed}) as fate from range({everybody})
        ) as shoppers
        inner join segments on (shoppers.fate % 100) >= low and (shoppers.fate % 100) < high
    """


def _truth(customers: int, seed: int) -> str:
    return f"""
        select {_code()} as CUST_CODE, name as segment
        from ({_shoppers(customers, seed)})
        where is_customer
    """


def _code() -> str:
    return "printf('CUST%010d', shopper + 1)"


def _bits(number: str, shift: int, range_of: int) -> str:
    """Return a number from 0 to 1 out of some bits of a hash."""
    return f"((({number} >> {shift}) % {range_of}) / {range_of}.0)"


def _pick(column: str, number: str) -> str:
    """Return an expression for one of a column's words but XX, each as likely, by a hash."""
    words = [word for word in WORDS[column].split() if word != "XX"]
    return f"({words}::{column}_word[])[1 + cast({number} % {len(words)} as bigint)]"


def _poisson(chance: str, rate: str, most: int = 6) -> str:
    """Return how often something happens that does at this rate, for an even chance 0 to 1."""
    term, total, steps = "1", "1", []
    for count in range(1, most + 1):
        steps.append(f"cast({chance} > exp(-{rate}) * ({total}) as integer)")
        term = f"{term} * {rate} / {count}"
        total = f"{total} + {term}"
    return " + ".join(steps)


def _lines(customers: int, week: int, seed: int) -> str:
    """Write the query of a week's lines: shoppers, their baskets, and what is in them."""
    monday = (FIRST_MONDAY + timedelta(weeks=week - 1)).isoformat()
    basket_lines = (
        f"1 + cast(floor(-ln(1 - {_bits('b', 40, 4096)}) * case kind when 1 then 15"
        " when 2 then 7 else 1.6 end) as integer)"
    )
    return f"""
        with
        shoppers as ({_shoppers(customers, seed)}),

        paces as (
            select
                *,
                visits * (0.4 + 1.2 * {_bits("fate", 20, 1024)}) * case
                    when {week} <= coalesce(first_week * {_bits("fate", 30, 1024)}, 0) then 0
                    when {week} > coalesce(10 + last_week * {_bits("fate", 30, 1024)}, {week})
                        then 0.02
                    else 1
                end as pace,
                hash(shopper, {seed}, {week}) as w
            from shoppers
        ),

        visits as (
            select *, {_poisson(_bits("w", 8, 1048576), "pace")} as visit_count
            from paces
        ),

        -- The bits of b decide on a basket: its kind, day, hour, store and size.
        baskets as (
            select
                *,
                hash(w, visit) as b,
                case when is_customer then {_code()} end as customer_code,
                printf('994%04d%011d', {week}, shopper * 8 + visit) as basket_code,
                case
                    when {_bits("hash(w, visit)", 4, 4096)} < full_share then 1
                    when {_bits("hash(w, visit)", 4, 4096)} < full_share + top_up_share then 2
                    else 3
                end as kind
            from (
                select *, unnest(range(visit_count)) as visit from visits where visit_count > 0
            )
        ),

        filled as (
            select
                segment, customer_code, basket_code, b,
                least({basket_lines}, 60) as line_count,
                cast(case kind
                    when 1 then 'Full Shop' when 2 then 'Top Up' else 'Small Shop'
                end as kind_word) as kind_name,
                case
                    when {_bits("b", 16, 1024)} < weekend then 6 + cast(b % 2 as integer)
                    else 1 + cast(b % 5 as integer)
                end as weekday,
                cast(least(greatest(round(
                    hour + ({_bits("b", 26, 64)} + {_bits("b", 32, 64)} - 1) * 6
                ), 8), 21) as integer) as hour,
                -- Four baskets in five are bought in the shop at home, which is of the segment's
                -- format for four shoppers in five.
                cast(case
                    when b % 10 >= 8 then hash(b) % {sum(STORES.values())}
                    when fate % 5 = 4 then hash(fate) % {sum(STORES.values())}
                    else first_store + hash(fate) % store_count
                end as integer) as store,
                -- One customer in ten has no life stage, three in ten another than most.
                case
                    when not is_customer or hash(fate, 1) % 10 = 0 then null
                    when hash(fate, 1) % 10 < 4
                        then {_pick("life_stage", "hash(fate, 2)")}
                    else life_stage
                end as life_stage,
                case
                    when not is_customer then null
                    when hash(fate, 3) % 4 = 0 then {_pick("price_sensitivity", "hash(fate, 4)")}
                    else price_sensitivity
                end as price_sensitivity,
                case
                    when hash(b, 1) % 4 = 0 then {_pick("price_sensitivity", "hash(b, 2)")}
                    else price_sensitivity
                end as basket_sensitivity,
                case
                    when hash(b, 3) % 100 = 0 and kind = 3 then 'XX'::mission_word
                    when hash(b, 3) % 3 = 0
                        then {_pick("mission", "hash(b, 4)")}
                    else mission
                end as mission
            from baskets
        ),

        sized as (
            select
                *,
                cast(case when line_count > 7 then 'L' when line_count > 2 then 'M' else 'S' end
                    as size_word) as size,
                cast(strftime(date '{monday}' + (weekday - 1), '%Y%m%d') as integer) as shop_date
            from filled
        ),

        -- Each line has its own part of the numbers from 0 to 1, so that a basket hardly ever
        -- holds a product twice.
        lines as (
            select
                filled.*,
                hash(b, line) as h,
                (line + {_bits("hash(b, line)", 8, 65536)}) / line_count as place
            from (select *, unnest(range(line_count)) as line from sized) as filled
        ),

        placed as (
            select
                lines.*,
                shelves.first_product + cast(floor(
                    shelves.product_count * pow((lines.place - shelves.low) / shelves.width, 2.2)
                ) as integer) as product,
                1 + cast(h % 16 = 0 as integer) + 2 * cast(h % 8 = 1 as integer) as quantity
            from lines
            inner join shelves
                on lines.segment * {SLOTS} + cast(floor(lines.place * {SLOTS}) as integer)
                = shelves.shelf
        )

        select
            {shop_week(week)} as SHOP_WEEK,
            placed.shop_date as SHOP_DATE,
            placed.weekday % 7 + 1 as SHOP_WEEKDAY,
            placed.hour as SHOP_HOUR,
            placed.quantity as QUANTITY,
            cast(placed.quantity * products.cents * 0.01 as decimal(9, 2)) as SPEND,
            products.product_code as PROD_CODE,
            products.class_code as PROD_CODE_10,
            products.group_code as PROD_CODE_20,
            products.division_code as PROD_CODE_30,
            products.department_code as PROD_CODE_40,
            placed.customer_code as CUST_CODE,
            placed.price_sensitivity as CUST_PRICE_SENSITIVITY,
            placed.life_stage as CUST_LIFESTAGE,
            placed.basket_code as BASKET_ID,
            placed.size as BASKET_SIZE,
            placed.basket_sensitivity as BASKET_PRICE_SENSITIVITY,
            placed.kind_name as BASKET_TYPE,
            placed.mission as BASKET_DOMINANT_MISSION,
            stores.store_code as STORE_CODE,
            stores.store_format as STORE_FORMAT,
            stores.store_region as STORE_REGION
        from placed
        inner join products on placed.product = products.product
        inner join stores on placed.store = stores.store
    """
