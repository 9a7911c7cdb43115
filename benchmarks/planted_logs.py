"""Purchase logs with segments planted in them: what a till writes, and who truly buys alike.

A segment is a way of buying: how often and until when (gamma-Poisson visits, exponential
dropout), what (Dirichlet preferences for categories), at what price (log-normal), in which season,
on weekends or workdays, in which channel, and how much comes back. Each customer has parameters of
their own, drawn around those of the segment; noise customers draw theirs around nobody's.

Nothing here knows how the warehouse turns a log into features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.candidate import NOISE

Generator = np.random.Generator

FIRST_DAY = pd.Timestamp("2022-01-03")
DAYS_A_YEAR = 365.25
CHANNELS = np.array(["store", "web", "app"])
PRODUCTS_A_CATEGORY = 30


@dataclass(frozen=True)
class LogSettings:
    """What a log is planted with.

    Attributes
    ----------
    customers
        With a purchase or without; those without one are not in the log.
    segments
        Ways of buying, of unequal size.
    overlap
        0..1: how far each segment's ways are pulled towards those of all.
    noise
        Share of the customers that belong to no segment.
    categories
        Kinds of goods.
    days
        From the first to the last day of the log.
    hours
        Whether segments differ in the hour of the day as well.
    """

    customers: int = 1_500
    segments: int = 5
    overlap: float = 0.35
    noise: float = 0.05
    categories: int = 10
    days: int = 730
    hours: bool = False


@dataclass(frozen=True)
class Ways:
    """Parameters of buying, one row a segment or a customer.

    Attributes
    ----------
    visits
        A month.
    stay
        Months until dropout, on average.
    lines
        A basket beyond the first one.
    price
        Logarithm of the price level.
    tastes
        Shares of categories.
    season, peak
        Strength, 0..1, and day of the year of the yearly wave of visits.
    weekend
        Share of visits on Saturday and Sunday.
    channels
        Shares of channels.
    returns
        Chance that a line comes back.
    hour
        Of the day, on average.
    """

    visits: FloatArray
    stay: FloatArray
    lines: FloatArray
    price: FloatArray
    tastes: FloatArray
    season: FloatArray
    peak: FloatArray
    weekend: FloatArray
    channels: FloatArray
    returns: FloatArray
    hour: FloatArray


def planted_log(settings: LogSettings, seed: int) -> tuple[pd.DataFrame, pd.Series[int]]:
    """Return a purchase log and the segment of every customer in it.

    Parameters
    ----------
    settings
        What to plant.
    seed
        The same seed gives the same log.

    Returns
    -------
    log
        One row per line: ``customer``, ``sold_at``, ``amount`` (below 0 for what came back),
        ``product``, ``category``, ``receipt``, ``channel``.
    truth
        Segment 0, 1, ... by customer, -1 for noise; indexed by customer.

    Raises
    ------
    DataError
        A setting is out of its range.
    """
    _check(settings)
    generator = np.random.default_rng(seed)
    truth = _segments_of(settings, generator)
    ways = _customers_ways(settings, truth, generator)
    log = _lines(settings, ways, generator)
    named = pd.Series(truth, index=[f"c{number:05d}" for number in range(len(truth))])
    return log, named.loc[sorted(log["customer"].unique())]


def _check(settings: LogSettings) -> None:
    if settings.segments < 1 or settings.customers < 20 * settings.segments:
        raise DataError(
            f"planted logs: {settings.customers} customers in {settings.segments} segments;"
            " give 20 a segment or more"
        )
    for name in ("overlap", "noise"):
        if not 0.0 <= getattr(settings, name) < 1.0:
            raise DataError(f"planted logs: {name} is from 0 to below 1")


def _segments_of(settings: LogSettings, generator: Generator) -> IntArray:
    # Sizes differ up to about sixfold; none is under half of an even share's third.
    sizes = generator.dirichlet(np.full(settings.segments, 3.0)) + 0.3 / settings.segments
    truth = generator.choice(settings.segments, settings.customers, p=sizes / sizes.sum())
    truth[generator.random(settings.customers) < settings.noise] = NOISE
    return np.asarray(truth, dtype=np.int64)


def _drawn_ways(settings: LogSettings, count: int, generator: Generator) -> Ways:
    base = generator.dirichlet(np.full(settings.categories, 4.0))
    tastes = generator.dirichlet(np.full(settings.categories, 0.7), count)
    channels = generator.dirichlet(np.full(len(CHANNELS), 1.0), count)
    apart = 1.0 - settings.overlap
    # Numbers are pulled towards the middle of their range, shares towards those of all.
    return Ways(
        visits=np.exp(apart * generator.uniform(-1.2, 1.2, count) + 0.6),
        stay=np.exp(apart * generator.uniform(-1.0, 1.0, count) + 2.6),
        lines=np.exp(apart * generator.uniform(-1.0, 1.0, count) + 0.5),
        price=apart * generator.uniform(-0.8, 0.8, count),
        tastes=apart * tastes + settings.overlap * base,
        season=apart * generator.uniform(0.0, 0.9, count),
        peak=generator.uniform(0.0, DAYS_A_YEAR, count),
        weekend=0.35 + apart * generator.uniform(-0.3, 0.5, count),
        channels=apart * channels + settings.overlap / len(CHANNELS),
        returns=0.04 + apart * generator.uniform(-0.03, 0.12, count),
        hour=14.0 + apart * _hours_apart(settings, count, generator),
    )


def _hours_apart(settings: LogSettings, count: int, generator: Generator) -> FloatArray:
    return generator.uniform(-5.0, 6.0, count) if settings.hours else np.zeros(count)


def _customers_ways(settings: LogSettings, truth: IntArray, generator: Generator) -> Ways:
    segments = _drawn_ways(settings, settings.segments, generator)
    strangers = _drawn_ways(settings, len(truth), generator)
    of = np.where(truth == NOISE, 0, truth)
    is_noise = truth == NOISE

    def centre(name: str) -> FloatArray:
        own, other = getattr(segments, name)[of], getattr(strangers, name)
        shown = is_noise if own.ndim == 1 else is_noise[:, None]
        return np.asarray(np.where(shown, other, own))

    def beta(mean: FloatArray, strength: float) -> FloatArray:
        return np.asarray(generator.beta(mean * strength, (1.0 - mean) * strength))

    n = len(truth)
    return Ways(
        visits=centre("visits") * generator.gamma(4.0, 1 / 4.0, n),
        stay=centre("stay"),
        lines=centre("lines") * generator.gamma(6.0, 1 / 6.0, n),
        price=centre("price") + generator.normal(0.0, 0.25, n),
        tastes=_around(centre("tastes"), 15.0, generator),
        season=centre("season"),
        peak=centre("peak") + generator.normal(0.0, 20.0, n),
        weekend=beta(centre("weekend"), 12.0),
        channels=_around(centre("channels"), 8.0, generator),
        returns=beta(centre("returns"), 20.0),
        hour=centre("hour"),
    )


def _around(shares: FloatArray, strength: float, generator: Generator) -> FloatArray:
    # Dirichlet by gammas; a tiny floor keeps the sum above 0.
    drawn = generator.gamma(np.maximum(shares * strength, 1e-3)) + 1e-9
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def _lines(settings: LogSettings, ways: Ways, generator: Generator) -> pd.DataFrame:
    customer, day = _visits(settings, ways, generator)
    hour = np.clip(generator.normal(ways.hour[customer], 3.0), 7.0, 21.9)
    channel = _choices(ways.channels, customer, generator)
    repeats = 1 + generator.poisson(ways.lines[customer])
    visit = np.repeat(np.arange(len(day)), repeats)
    buyer = customer[visit]
    category = _choices(ways.tastes, buyer, generator)
    level = generator.normal(1.5, 0.6, settings.categories)
    product = generator.integers(0, PRODUCTS_A_CATEGORY, len(visit))
    price = level[category] + ways.price[buyer] + generator.normal(0.0, 0.45, len(visit))
    amount = np.maximum(np.exp(price).round(2), 0.01)
    seconds = (day * 86_400 + hour * 3_600).astype(np.int64)
    bought = pd.DataFrame(
        {
            "customer": np.char.mod("c%05d", buyer),
            "sold_at": FIRST_DAY + pd.to_timedelta(seconds[visit], unit="s"),
            "amount": amount,
            "product": [f"p{c}-{p}" for c, p in zip(category, product, strict=True)],
            "category": [f"kind {c}" for c in category],
            "receipt": np.char.mod("r%d", visit),
            "channel": CHANNELS[channel[visit]],
        }
    )
    returned = generator.random(len(bought)) < ways.returns[buyer]
    back = bought[returned].copy()
    back["amount"] = -back["amount"]
    back["sold_at"] += pd.to_timedelta(generator.integers(1, 15, len(back)), unit="D")
    back["receipt"] = "b" + back["receipt"]
    log = pd.concat([bought, back[back["sold_at"] < FIRST_DAY + pd.Timedelta(days=settings.days)]])
    return log.sort_values(["sold_at", "receipt"], kind="stable", ignore_index=True)


def _visits(settings: LogSettings, ways: Ways, generator: Generator) -> tuple[IntArray, IntArray]:
    # A visit for every day drawn; the yearly wave and the weekend thin them out.
    n = len(ways.visits)
    joined = generator.uniform(0.0, 0.6 * settings.days, n)
    left = np.minimum(joined + generator.exponential(ways.stay * 30.4), settings.days - 1.0)
    count = 1 + generator.poisson(2.0 * ways.visits / 30.4 * (left - joined))
    customer = np.repeat(np.arange(n), count)
    day = np.floor(generator.uniform(joined[customer], left[customer])).astype(np.int64)
    angle = 2.0 * np.pi * (day - ways.peak[customer]) / DAYS_A_YEAR
    wave = (1.0 + ways.season[customer] * np.cos(angle)) / 2.0
    # Kept days move within their week to a weekend or a workday.
    kept = generator.random(len(day)) < wave
    kept[np.r_[True, customer[1:] != customer[:-1]]] = True
    customer, day = customer[kept], day[kept]
    is_weekend = generator.random(len(day)) < ways.weekend[customer]
    workday, weekend = generator.integers(0, 5, len(day)), generator.integers(5, 7, len(day))
    moved = day - day % 7 + np.where(is_weekend, weekend, workday)
    return customer, np.minimum(moved, settings.days - 1)


def _choices(shares: FloatArray, rows: IntArray, generator: Generator) -> IntArray:
    steps = shares.cumsum(axis=1)[rows]
    drawn = generator.random(len(rows))[:, None] * steps[:, -1:]
    return np.asarray((drawn > steps).sum(axis=1), dtype=np.int64)
