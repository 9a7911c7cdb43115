"""A log of transactions as it is read: who bought what, when, for how much, and what came back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models_py.database.reading.columns import rounded_ids
from models_py.database.reading.order_cells import OrderCells
from models_py.database.reading.reader import FileReading, refuse_rounded_ids
from models_py.database.reading.rows import BLANK, TOTAL
from models_py.base.sql_text import literal
from models_py.base.errors import DataError, UsageError, near_match
from models_py.sources.reading.dates import date_shape
from models_py.sources.reading.numbers import number_shape
from models_py.sources.reading.record import Loss
from models_py.sources.reading.shapes import shape_of

QUANTITY_NAMES = re.compile(
    r"(^|_)(quantity|quantities|qty|menge|anzahl|st(ue|\u00fc)ck|units?|pieces|pcs|cantidad|quantit)",
)
CURRENCY_NAMES = re.compile(r"currency|w(ae|\u00e4)hrung|devise|moneda|valuta|(^|_)ccy($|_)")
UNIT_PRICE_NAMES = re.compile(r"unit|each|per_|st(ue|\u00fc)ckpreis|einzel|unitario|unitaire")
NOBODY = frozenset(
    {
        "guest", "gast", "cash", "walk-in", "walkin", "walk in", "anonymous", "anon", "unknown",
        "none", "nobody", "n/a", "na", "test", "default", "pos", "retail", "0", "-1", "9999",
        "99999", "999999", "00000", "no customer", "not registered", "kasse", "barverkauf",
    }
)  # fmt: skip
"""Words that stand in the place of a customer, in small letters."""
STATES = re.compile(
    r"(return|refund|retour|r(ue|\u00fc)ck|cancel|storn|annul|void|declin|fail|reject|chargeback|"
    r"revers|credit|gutschrift|devol|reembols|rembours|unpaid|pending|test|abandon).*"
)
"""Words of a state in which a line is no sale."""
NUMBERED_DOCUMENTS = re.compile(
    r"(^|_)(inv|invoice|order|receipt|bill|doc|document|beleg|rechnung|facture|factura|fattura)",
)
MOST_STATES = 30
COPIED_SHARE = 0.005
ROWS_COMPARED = 1_000_000
LARGE_SHARE = 0.2
SPANNING_SHARE = 0.05
FIRST_POSSIBLE = "1990-01-01"


@dataclass(frozen=True)
class Condition:
    """``COLUMN=VALUE,VALUE`` or ``COLUMN!=VALUE``; a value that ends with ``*`` is a beginning."""

    column: str
    values: tuple[str, ...]
    is_negated: bool = False

    @classmethod
    def parse(cls, option: str, text: str) -> Condition:
        """Read a condition of the command line.

        Raises
        ------
        UsageError
            It has no ``=``.
        """
        match = re.fullmatch(r"(.+?)(!?=)(.*)", text)
        if match is None:
            raise UsageError(f"{option} {text}: write COLUMN=VALUE, or COLUMN!=VALUE")
        values = tuple(value.strip() for value in match[3].split(","))
        return cls(match[1].strip(), values, match[2] == "!=")

    def sql(self, value: str) -> str:
        """Return the condition on a SQL value."""
        low = f"lower(trim(coalesce({value}, '')))"
        tests = [
            f"starts_with({low}, {literal(word[:-1].lower())})"
            if word.endswith("*") and len(word) > 1
            else f"{low} = {literal(word.lower())}"
            for word in self.values
        ]
        joined = f"({' or '.join(tests)})"
        return f"not {joined}" if self.is_negated else joined


@dataclass(frozen=True)
class LogColumns:
    """Which columns of a file make a log.

    Attributes
    ----------
    customer, time
        Columns that it must have.
    amount
        Of a line; None where ``unit_price`` and ``quantity`` are given.
    unit_price, quantity
        Price of one and how many.
    product, category, channel, basket
        Columns that it may have.
    returns
        Lines that came back, where that does not show in an amount or quantity below 0.
    where
        Lines that count at all.
    currency
        Column with the currency.
    rates
        Currency to what one unit of it is worth in the currency wanted.
    is_negative
        Whether amounts below 0 are purchases, and those above came back.
    """

    customer: str
    time: str
    amount: str | None = None
    unit_price: str | None = None
    quantity: str | None = None
    product: str | None = None
    category: str | None = None
    channel: str | None = None
    basket: str | None = None
    returns: Condition | None = None
    where: Condition | None = None
    currency: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    is_negative: bool = False

    @property
    def named(self) -> dict[str, str]:
        """Option of the command to the column that it names."""
        given = {
            "--customer": self.customer,
            "--time": self.time,
            "--amount": self.amount,
            "--unit-price": self.unit_price,
            "--quantity": self.quantity,
            "--product": self.product,
            "--category": self.category,
            "--channel": self.channel,
            "--basket": self.basket,
            "--returns": self.returns.column if self.returns else None,
            "--where": self.where.column if self.where else None,
            "--currency": self.currency,
        }
        return {option: column for option, column in given.items() if column is not None}

    @property
    def order_cells(self) -> OrderCells:
        """Columns that a line may have of its order alone."""
        keys = [self.basket, self.customer, self.time]
        conditions = [c.column for c in (self.where, self.returns) if c is not None]
        items = tuple(c for c in (self.product, self.category) if c is not None)
        others = [
            c
            for c in (*conditions, self.currency, self.channel)
            if c is not None and c not in {*keys, *items}
        ]
        return OrderCells(
            self.basket, tuple(c for c in keys if c), tuple(dict.fromkeys(others)), items
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """Columns that are text as it is written."""
        words = [self.customer, self.product, self.basket]
        words += [c.column for c in (self.returns, self.where) if c is not None]
        numbers = {self.amount, self.unit_price, self.quantity, self.time}
        return tuple(dict.fromkeys(w for w in words if w is not None and w not in numbers))

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that are numbers."""
        return tuple(c for c in (self.amount, self.unit_price, self.quantity) if c is not None)


@dataclass(frozen=True)
class LogReading:
    """A log as it goes into the warehouse.

    Attributes
    ----------
    select
        SQL of its table: ``customer``, ``product``, ``category``, ``channel``, ``basket``,
        ``quantity``, ``amount``, ``happened_at``, ``file_row`` and
        ``left_out``, one row per line of the file.
    losses
        Lines that are no sale and no return, by the first reason.
    amount
        Of all lines, without signs.
    has_basket, is_unit_price, has_whole_units
        Whether the baskets are used, whether the amount is a price times a quantity, and whether
        a quantity counts whole units.
    warnings
        Lines to say.
    """

    select: str
    losses: list[Loss]
    amount: float
    has_basket: bool
    is_unit_price: bool
    has_whole_units: bool
    warnings: list[str]


def require_log_columns(names: Sequence[str], log: LogColumns, source: str) -> None:
    """Refuse columns that a file does not have.

    Raises
    ------
    DataError
        The first that is missing, with the nearest one.
    """
    for option, column in log.named.items():
        if column not in names:
            raise DataError(
                f"{option} {column}: {source} has no such column{near_match(column, names)}"
                f" (it has: {', '.join(names)})"
            )


def read_log(read: FileReading, log: LogColumns) -> LogReading:
    """Make a log of a file that was read, and count what it loses.

    Raises
    ------
    DataError
        Columns are swapped, ids were rounded, or currencies cannot be summed.
    """
    warnings: list[str] = []
    _check_roles(read, log)
    has_basket = _basket_is_used(read, log, warnings)
    is_unit_price = _is_unit_price(read, log, warnings)
    amount = _amount(read, log, is_unit_price, warnings)
    select = _select(read, log, amount, has_basket)
    _warn_of_customers(read, log, warnings)
    _warn_of_twins(read, log, warnings)
    _warn_of_states(read, log, amount, warnings)
    _warn_of_copies(read, warnings)
    losses, total = _losses(read, select, log)
    _refuse_signs(read, select, log)
    has_units = log.quantity is not None and log.quantity in read.whole
    return LogReading(select, losses, total, has_basket, is_unit_price, has_units, warnings)


def _text(read: FileReading, name: str) -> str:
    return f"cast({read.staged.column(name)} as varchar)"


def _kept(read: FileReading, name: str) -> list[str]:
    return [value for column in read.columns if column.name == name for value in column.sample]


def _check_roles(read: FileReading, log: LogColumns) -> None:
    """Refuse columns that hold something else than their option says."""
    refuse_rounded_ids(read, "--customer", log.customer)
    customers = [value for value in _kept(read, log.customer) if value.strip()]
    shapes = [shape_of(value) for value in customers]
    if not customers:
        raise DataError(f"--customer {log.customer}: the column is empty")
    dates = [s for s in shapes if date_shape(s) and not re.fullmatch(r"9+", s)]
    if len(dates) > 0.9 * len(shapes):
        raise DataError(
            f"--customer {log.customer}: holds dates, such as '{customers[0].strip()}'; are"
            " --customer and --time swapped?"
        )
    amounts = [s for s in shapes if number_shape(s) and re.search(r"9[.,]9{1,2}$", s)
               and not re.fullmatch(r"9+\.9", s)]  # fmt: skip
    if len(amounts) > 0.5 * len(shapes):
        raise DataError(
            f"--customer {log.customer}: holds amounts, such as '{customers[0].strip()}'; are"
            " --customer and --amount swapped?"
        )
    for name in log.numbers:
        values = [value.strip() for value in _kept(read, name)]
        if values and all(re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])[0-3]\d", v) for v in values):
            raise DataError(
                f"column '{name}': holds dates, such as '{values[0]}', no amounts: name another"
            )
    is_split = log.quantity not in read.whole and log.unit_price in read.whole
    if log.quantity and log.unit_price and is_split:
        raise DataError(
            f"--quantity {log.quantity} has decimals and --unit-price {log.unit_price} none: are"
            " they swapped?"
        )


def _basket_is_used(read: FileReading, log: LogColumns, warnings: list[str]) -> bool:
    if log.basket is None:
        return False
    customer, basket = read.expression(log.customer), read.expression(log.basket)
    spans = (
        f"select {basket} as basket, count(distinct {customer}) as customers"
        f" from temp.{read.staged.table} where {read.staged.kept_rows} and {basket} is not null"
        " group by 1"
    )
    ((baskets, spanning, most, example),) = read.staged.query(
        "select count(*), count(*) filter (customers > 1), coalesce(max(customers), 0),"
        f" arg_max(basket, customers) from ({spans})"
    )
    if spanning == 0:
        return True
    first = rounded_ids(read.staged, log.basket)
    if first is None and spanning <= SPANNING_SHARE * baskets:
        warnings.append(
            f"--basket {log.basket}: {spanning:,} of {baskets:,} baskets span several customers,"
            f" such as '{example}' ({most:,})"
        )
        return True
    if first is None:
        _refuse_swapped_basket(read, log, baskets)
    why = "; a spreadsheet rounded the ids" if first is not None else ""
    warnings.append(
        f"--basket {log.basket} is not used: {spanning:,} of {baskets:,} baskets span several"
        f" customers, such as '{example}' ({most:,} customers){why}; a customer's lines of one day"
        " are one order"
    )
    return False


def _refuse_swapped_basket(read: FileReading, log: LogColumns, baskets: int) -> None:
    customer, basket = read.expression(log.customer), read.expression(log.basket or "")
    ((customers, first),) = read.staged.query(
        f"select count(*), count(*) filter (baskets <= 1) from (select {customer} as customer,"
        f" count(distinct {basket}) as baskets from temp.{read.staged.table}"
        f" where {read.staged.kept_rows} group by 1)"
    )
    if customers > 1.5 * baskets and first == customers:
        raise DataError(
            f"--customer {log.customer} has {customers:,} values, each in one basket, and --basket"
            f" {log.basket} has {baskets:,}: are they swapped?"
        )


def _is_unit_price(read: FileReading, log: LogColumns, warnings: list[str]) -> bool:
    """Decide whether the amount is the price of one, and say so where it is not certain."""
    if log.unit_price is not None:
        return True
    assert log.amount is not None
    if log.quantity is None:
        beside = next(
            (
                column.name
                for column in read.columns
                if column.name != log.amount
                and column.reading.type in {"number", "as_is"}
                and QUANTITY_NAMES.search(_spaced(column.name))
            ),
            None,
        )
        if beside is not None:
            warnings.append(
                f"'{beside}' stands beside --amount {log.amount}: if that is the price of one, give"
                f" --unit-price '{log.amount}' --quantity '{beside}' in place of --amount"
            )
        return False
    if UNIT_PRICE_NAMES.search(_spaced(log.amount)):
        warnings.append(f"--amount {log.amount} is by its name the price of one: times quantity")
        return True
    amount, quantity = read.expression(log.amount), read.expression(log.quantity)
    ((crossed,),) = read.staged.query(
        f"select count(*) from temp.{read.staged.table} where {read.staged.kept_rows}"
        f" and {quantity} < 0 and {amount} > 0"
    )
    if crossed:
        warnings.append(
            f"--amount {log.amount} stays above 0 where the quantity is below: it is taken for the"
            " price of one, times quantity"
        )
    return bool(crossed)


def _spaced(name: str) -> str:
    return re.sub(r"[^a-z\u00e0-\u00ff]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def _amount(read: FileReading, log: LogColumns, is_unit_price: bool, warnings: list[str]) -> str:
    price = log.unit_price or log.amount
    assert price is not None
    amount = f"cast({read.expression(price)} as double)"
    if is_unit_price:
        assert log.quantity is not None
        amount = f"{amount} * {read.expression(log.quantity)}"
    if log.is_negative:
        amount = f"-({amount})"
    if log.returns is not None:
        is_return = log.returns.sql(_text(read, log.returns.column))
        amount = f"case when {is_return} then -abs({amount}) else {amount} end"
    rate = _rate(read, log, warnings)
    return f"round(({amount}) * {rate}, 6)" if rate else amount


def _rate(read: FileReading, log: LogColumns, warnings: list[str]) -> str:
    if log.currency is None:
        for column in read.columns:
            if CURRENCY_NAMES.search(_spaced(column.name)) and column.reading.type == "text":
                values = _currencies(read, column.name)
                if len(values) > 1:
                    warnings.append(
                        f"'{column.name}' has {len(values)} values ({', '.join(values[:4])}), and"
                        f" their amounts are added up: give --currency '{column.name}' with --rate"
                    )
        return ""
    values = _currencies(read, log.currency)
    if len(values) <= 1 and not log.rates:
        return ""
    if not log.rates:
        shown = ", ".join(values[:4])
        raise DataError(
            f"--currency {log.currency}: {len(values)} currencies ({shown}) cannot be added up:"
            f" say what each is worth, such as --rate {values[0]}=1 --rate {values[-1]}=0.9, or"
            f" take one with --where '{log.currency}={values[0]}'"
        )
    missing = [value for value in values if value.upper() not in log.rates]
    if missing:
        raise DataError(f"--currency {log.currency}: no --rate for {', '.join(missing[:4])}")
    code = f"upper(trim({_text(read, log.currency)}))"
    cases = " ".join(f"when {literal(c)} then {rate!r}" for c, rate in log.rates.items())
    return f"(case {code} {cases} end)"


def _currencies(read: FileReading, name: str) -> list[str]:
    value = f"trim({_text(read, name)})"
    found_count = read.staged.query(
        f"select {value} from temp.{read.staged.table} where {read.staged.kept_rows}"
        f" and {value} <> '' group by 1 order by count(*) desc, 1 limit 20"
    )
    return [str(word) for (word,) in found_count]


def _select(read: FileReading, log: LogColumns, amount: str, has_basket: bool) -> str:
    def text(name: str | None) -> str:
        if name is None:
            return "cast(null as varchar)"
        column = read.record.columns[name]
        if column.type in {"id", "text"}:
            return read.expression(name)
        return f"nullif(trim({_text(read, name)}), '')"

    staged = read.staged
    left = []
    for reason in dict.fromkeys(staged.excluded.values()):
        rows = [row for row, why in staged.excluded.items() if why == reason]
        left.append(f"when rowid in ({', '.join(map(str, rows))}) then {literal(_code(reason))}")
    if log.where is not None:
        left.append(f"when not {log.where.sql(_text(read, log.where.column))} then 'not_asked_for'")
    quantity = read.expression(log.quantity) if log.quantity else "1"
    blank = [row for row, why in staged.excluded.items() if why == BLANK]
    kept = f"rowid not in ({', '.join(map(str, blank))})" if blank else "true"
    chosen = (
        f"select rowid + 1 as file_row, {text(log.customer)} as customer,"
        f" {text(log.product)} as product, {text(log.category)} as category,"
        f" {text(log.channel)} as channel,"
        f" {text(log.basket) if has_basket else 'cast(null as varchar)'} as basket,"
        f" cast({quantity} as double) as quantity, cast({amount} as double) as amount,"
        f" cast({read.expression(log.time)} as timestamp) as happened_at,"
        f" {f'case {chr(32).join(left)} end' if left else 'cast(null as varchar)'} as left_out"
        f" from temp.{staged.table} where {kept}"
    )
    if not staged.misshapen:
        return chosen
    wrong = len(staged.misshapen)
    return (
        f"{chosen} union all select null, null, null, null, null, null, null, null, null,"
        f" 'other_width' from range({wrong})"
    )


def _code(reason: str) -> str:
    return {TOTAL: "row_of_totals"}.get(reason, "no_row")


def _losses(read: FileReading, select: str, log: LogColumns) -> tuple[list[Loss], float]:
    """Count the lines that the warehouse will reject, by its first reason."""
    staged = read.staged
    tests = [("left_out is not null", "")]
    tests.append(("customer is null", "no customer"))
    if log.product:
        tests.append(("product is null", "no product"))
    if log.basket and "cast(null as varchar) as basket" not in select:
        tests.append(("basket is null", "no basket"))
    tests += [
        ("happened_at is null", "no time that can be read"),
        (f"happened_at < timestamp '{FIRST_POSSIBLE}'", f"time before {FIRST_POSSIBLE}"),
        ("happened_at > now() at time zone 'UTC' + interval 1 day", "time in the future"),
        ("amount is null", "no amount that can be read"),
        ("abs(amount) < 0.005", "amount under half a cent"),
    ]
    cases = " ".join(f"when {test} then {place}" for place, (test, _) in enumerate(tests))
    found_count = staged.query(
        f"select case {cases} end as reason, count(*), sum(abs(amount)), min(file_row)"
        f" from ({select}) group by 1 order by 1 nulls last"
    )
    counted = [row for row in found_count if row[0] != 0]
    lines = sum(row[1] for row in found_count)
    total = float(sum(row[2] or 0.0 for row in counted))
    losses = []
    for place, count, amount, row in counted:
        if place is None:
            continue
        losses.append(
            Loss(
                reason=tests[int(place)][1],
                lines=int(count),
                share=count / lines,
                amount=float(amount or 0.0),
                amount_share=float(amount or 0.0) / total if total else 0.0,
                line=staged.line(int(row) - 1),
                example=_example(read, int(row) - 1),
            )
        )
    if log.where is not None:
        losses += _where_loss(read, select, log.where, lines)
    return losses, total


def _where_loss(read: FileReading, select: str, where: Condition, lines: int) -> list[Loss]:
    ((count, row),) = read.staged.query(
        f"select count(*), min(file_row) from ({select}) where left_out = 'not_asked_for'"
    )
    if not count:
        return []
    ((blank,),) = read.staged.query(
        f"select count(*) from temp.{read.staged.table} where {read.staged.kept_rows}"
        f" and coalesce(trim({_text(read, where.column)}), '') = ''"
    )
    of_them = (
        f" ({blank:,} of them have no '{where.column}')" if blank and not where.is_negated else ""
    )
    return [
        Loss(
            reason=f"not among the lines asked for with --where{of_them}",
            lines=int(count),
            share=count / lines,
            line=read.staged.line(int(row) - 1),
            example=_example(read, int(row) - 1),
            is_expected=True,
        )
    ]


def _example(read: FileReading, row: int) -> str:
    (cells,) = read.staged.query(f"select * from temp.{read.staged.table} where rowid = {row}")
    return ", ".join("" if cell is None else str(cell).strip() for cell in cells)[:60]


def _warn_of_customers(read: FileReading, log: LogColumns, warnings: list[str]) -> None:
    """Say which one id has a large share of all lines: it is hardly one customer."""
    customer = read.expression(log.customer)
    found_count = read.staged.query(
        f"select {customer} as customer, count(*) from temp.{read.staged.table}"
        f" where {read.staged.kept_rows} and {customer} is not null group by 1"
        " order by 2 desc, 1 limit 2"
    )
    if not found_count:
        return
    (name, count), second = found_count[0], found_count[1][1] if len(found_count) > 1 else 0
    share = count / read.staged.rows
    is_nobody = str(name).strip().lower() in NOBODY and share >= 0.01
    is_large = share >= LARGE_SHARE and count >= 3 * second and read.staged.rows >= 50
    if is_nobody or is_large:
        warnings.append(
            f"one id, '{name}', has {count:,} of {read.staged.rows:,} lines ({share:.0%}): if it"
            f" is no customer, leave it out with --where '{log.customer}!={name}'"
        )


def _refuse_signs(read: FileReading, select: str, log: LogColumns) -> None:
    """Refuse a log of which most lines would have come back: its signs are the other way round."""
    ((below, above, row),) = read.staged.query(
        "select count(*) filter (amount < 0), count(*) filter (amount > 0),"
        f" min(file_row) filter (amount < 0) from ({select}) where left_out is null"
    )
    if below <= above:
        return
    sign = "above" if log.is_negative else "below"
    what = "leave out" if log.is_negative else "say so with"
    raise DataError(
        f"--{'unit-price' if log.unit_price else 'amount'} {log.unit_price or log.amount}:"
        f" {below:,} of {below + above:,} lines are {sign} 0 (such as line"
        f" {read.staged.line(int(row) - 1):,}) and would have come back; where they are purchases,"
        f" {what} --purchases-negative"
    )


def _warn_of_twins(read: FileReading, log: LogColumns, warnings: list[str]) -> None:
    """Say which customers differ only in letters' case or leading zeros: each counts as one."""
    ((twins, first, other),) = read.staged.query(
        f"with customers as (select distinct {read.expression(log.customer)} as id"
        f" from temp.{read.staged.table} where {read.staged.kept_rows}),"
        " alike as (select count(*) as ids, min(id) as first, max(id) as other from customers"
        " where id is not null group by ltrim(lower(id), '0') having count(*) > 1)"
        " select coalesce(sum(ids), 0), min(first), arg_min(other, first) from alike"
    )
    if twins:
        warnings.append(
            f"{int(twins):,} ids of '{log.customer}' differ only in case or leading zeros, such as"
            f" '{first}' and '{other}': each is a customer of its own; mend them where they are not"
        )


def _warn_of_states(read: FileReading, log: LogColumns, amount: str, warnings: list[str]) -> None:
    """Say which column tells of lines that are no sale, where the user did not name it."""
    named = {condition.column for condition in (log.returns, log.where) if condition is not None}
    used = named | {log.customer, log.time, *log.numbers, log.product, log.category, log.channel}
    for column in read.columns:
        if column.name in used or column.reading.type not in {"text", "id"}:
            continue
        values, count = _states(read, column.name, amount)
        if count:
            listed = ",".join(values)
            warnings.append(
                f"'{column.name}' is {' or '.join(map(repr, values))} on {count:,} lines above 0,"
                f" which count as sales: to leave them out give --where '{column.name}!={listed}',"
                f" where they came back --returns '{column.name}={listed}'"
            )


def _states(read: FileReading, name: str, amount: str) -> tuple[list[str], int]:
    """Return the values of a column that say that a line is no sale, and the lines above 0."""
    text = f"trim({_text(read, name)})"
    sales = f"from temp.{read.staged.table} where {read.staged.kept_rows} and {amount} > 0"
    if NUMBERED_DOCUMENTS.search(_spaced(name)):
        # C536379 among 536365: an invoice that takes another back.
        ((marked, plain),) = read.staged.query(
            f"select count(*) filter (regexp_full_match({text}, '[Cc][0-9]+')),"
            f" count(*) filter (regexp_full_match({text}, '[0-9]+')) {sales}"
        )
        return (["C*"], int(marked)) if 0 < marked < plain else ([], 0)
    sample = {word.strip().lower() for word in _kept(read, name)}
    if len(sample) > MOST_STATES or not any(STATES.fullmatch(word) for word in sample):
        return [], 0
    counted = read.staged.query(
        f"select any_value({text}), count(*) {sales} and {text} <> '' group by lower({text})"
        f" order by 2 desc, 1 limit {MOST_STATES + 1}"
    )
    states = [(str(word), int(n)) for word, n in counted if STATES.fullmatch(str(word).lower())]
    if len(states) == len(counted):
        return [], 0
    return [word for word, _ in states], sum(n for _, n in states)


def _warn_of_copies(read: FileReading, warnings: list[str]) -> None:
    """Say how many lines are copies of another in every column: they count as lines do."""
    staged = read.staged
    columns = ", ".join(f"c{place}" for place in range(len(staged.names)))
    step = max(1, staged.rows // ROWS_COMPARED)
    ((rows, distinct),) = staged.query(
        f"select count(*), count(distinct line) from (select hash({columns}) as line from"
        f" temp.{staged.table} where {staged.kept_rows}) where line % {step} = 0"
    )
    share = (rows - distinct) / max(rows, 1)
    if share > COPIED_SHARE:
        about = "about " if step > 1 else ""
        warnings.append(
            f"{about}{(rows - distinct) * step:,} of {staged.rows:,} lines ({share:.0%}) are copies"
            " of another in every column, and count as lines of their own: was a file put in twice?"
        )
