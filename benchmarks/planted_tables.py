"""Planted customer tables as owners keep them: one row a customer, most columns beside the point.

A kind of table says how its groups differ (numbers, words, both), what surrounds them (dates,
tenure, blocks of columns that go together, words that tell nothing, near copies, ids) and how hard
it is. The kinds of `TUNED` were looked at while the drafted study was made, those of `HELD_OUT`
were not; the draws of either are by seed.

Nothing here knows how the warehouse turns columns into features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.candidate import NOISE

Generator = np.random.Generator

ID = "customer_no"
FIRST_DAY = pd.Timestamp("2019-03-01")
DAYS = 2_000
NUMBERS = (
    "Alter", "Besuche pro Monat", "Monatsbeitrag", "income", "basket_value", "visits", "discount",
    "balance", "calls", "app_minutes", "orders", "Umsatz", "returns_value", "items", "sessions",
    "distance_km", "points", "Kurse", "credit_used", "emails_opened", "data_gb", "trips", "meals",
    "nights", "Strom_kWh", "premium", "claims_value", "deposits", "transfers", "searches", "views",
    "wait_minutes", "night_share", "usage_hours", "spend_food", "spend_home", "spend_travel",
    "spend_sport", "spend_media", "spend_health", "gas_kWh", "steps", "likes", "shares", "tickets",
    "stays", "loads", "parcels", "bookings", "lessons", "donations", "reads", "downloads",
    "visits_web",
    "visits_shop", "chats", "scans", "refills", "rides", "coupons", "requests", "swaps", "photos",
)  # fmt: skip
WORDS = (
    "Vertrag", "plan", "payment", "Anrede", "newsletter", "device", "Tarif", "home", "brand",
    "card", "app_user", "pet", "parking", "Kurs", "size", "color_choice", "delivery", "loyalty",
    "family", "insurance", "kids", "garden", "car",
)  # fmt: skip
LEVELS = ("Basis", "Premium", "Komfort", "Plus", "Start", "Max", "Flex")


@dataclass(frozen=True)
class TableSettings:
    """What a table is planted with.

    Attributes
    ----------
    rows, segments
        Customers, and the groups that they are of; 1 for none.
    numbers, words, truths
        Columns that differ between groups: numbers, words of 3 to 6 values, yes and no.
    gap
        Between the nearest groups, in standard deviations of all informative numbers together.
    contrast
        0..1: how differently groups choose words.
    margin
        What the numbers look like.
    tails
        Degrees of freedom of Student's t around the groups; 0 for Gaussian ones.
    factors
        Directions in which informative numbers go together inside each group.
    own_columns
        Whether each group differs in columns of its own.
    smallest
        Share of the rows in the smallest group, at least.
    other_numbers, block, other_words, other_truths, dates, copies
        Columns that say nothing of the groups: numbers by themselves, numbers that go together,
        words, yes and no, dates and tenures; and near copies of numbers that do say something.
    noise
        Share of the rows that belong to no group.
    missing
        Share of the values that are empty in some of the columns.
    """

    rows: int = 800
    segments: int = 4
    numbers: int = 5
    words: int = 0
    truths: int = 0
    gap: float = 4.0
    contrast: float = 0.8
    margin: str = "normal"
    tails: int = 0
    factors: int = 0
    own_columns: bool = False
    smallest: float = 0.08
    other_numbers: int = 0
    block: int = 0
    other_words: int = 0
    other_truths: int = 0
    dates: int = 0
    copies: int = 0
    noise: float = 0.0
    missing: float = 0.0


@dataclass(frozen=True)
class PlantedTable:
    """A table and what is true of it.

    Attributes
    ----------
    kind
        Its name in `TUNED` or `HELD_OUT`.
    frame
        With the column `ID`; the other columns in random order.
    truth
        Shape (rows,): group 0, 1, ...; -1 for a row of none.
    """

    kind: str
    frame: pd.DataFrame
    truth: IntArray


def _gym(rng: Generator) -> TableSettings:
    del rng
    return TableSettings(
        rows=240, segments=3, numbers=3, truths=1, gap=4.0, smallest=0.2, dates=1, other_words=1
    )


def _small_wide_groups(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=int(rng.integers(300, 900)), segments=int(rng.integers(2, 7)),
        numbers=int(rng.integers(4, 7)), gap=4.0, factors=1,
    )  # fmt: skip


def _dozen_of_forty(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=1_200, segments=int(rng.integers(3, 7)), numbers=int(rng.integers(8, 13)), gap=4.5,
        other_numbers=14, block=8, other_words=3, other_truths=3, dates=3, copies=2,
    )  # fmt: skip


def _numbers_and_words(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=900, segments=int(rng.integers(3, 6)), numbers=4, words=3, truths=2, gap=3.0,
        other_numbers=3, other_words=2, other_truths=2, dates=1,
    )  # fmt: skip


def _skewed(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=1_000, segments=int(rng.integers(3, 6)), numbers=6, gap=4.5, margin="skewed",
        other_numbers=5, dates=2, other_truths=2, noise=0.03, missing=0.03,
    )  # fmt: skip


def _rated(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=700, segments=int(rng.integers(3, 6)), numbers=10, gap=4.5, margin="rated",
        other_numbers=4, other_words=1, dates=1,
    )  # fmt: skip


def _many_groups(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=1_500, segments=int(rng.integers(6, 9)), numbers=9, gap=4.5, smallest=0.05,
        other_numbers=4, dates=1,
    )  # fmt: skip


def _nothing(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=600, segments=1, numbers=6, factors=2, margin=str(rng.choice(["normal", "skewed"])),
        other_numbers=3, other_words=2, other_truths=2, dates=2,
    )  # fmt: skip


def _words_alone(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=900, segments=int(rng.integers(3, 6)), numbers=0, words=6, truths=8, contrast=0.8,
        other_words=2, other_truths=3, dates=1,
    )  # fmt: skip


def _own_columns(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=1_200, segments=int(rng.integers(4, 7)), numbers=16, gap=5.0, own_columns=True,
        other_numbers=10, dates=2, other_truths=2,
    )  # fmt: skip


def _heavy_tails(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=1_000, segments=int(rng.integers(3, 6)), numbers=8, gap=6.0, tails=3,
        other_numbers=8, dates=1, noise=0.05,
    )  # fmt: skip


def _go_together(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=1_000, segments=int(rng.integers(3, 6)), numbers=14, gap=4.5, factors=3, copies=4,
        block=6, dates=2,
    )  # fmt: skip


def _counts(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=1_000, segments=int(rng.integers(3, 6)), numbers=7, words=2, gap=4.0, margin="counts",
        other_numbers=4, other_words=2, dates=1, missing=0.05,
    )  # fmt: skip


def _tiny_group(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=1_500, segments=int(rng.integers(3, 6)), numbers=6, gap=5.0, smallest=0.03,
        other_numbers=6, other_words=1, dates=1,
    )  # fmt: skip


def _nothing_mixed(rng: Generator) -> TableSettings:
    return TableSettings(
        rows=900, segments=1, numbers=8, factors=3, margin=str(rng.choice(["counts", "rated"])),
        words=2, truths=3, other_numbers=4, block=5, dates=3, copies=2,
    )  # fmt: skip


Kind = Callable[[Generator], TableSettings]
TUNED: dict[str, Kind] = {
    "gym": _gym,
    "small_wide_groups": _small_wide_groups,
    "dozen_of_forty": _dozen_of_forty,
    "numbers_and_words": _numbers_and_words,
    "skewed": _skewed,
    "rated": _rated,
    "many_groups": _many_groups,
    "nothing": _nothing,
}
HELD_OUT: dict[str, Kind] = {
    "words_alone": _words_alone,
    "own_columns": _own_columns,
    "heavy_tails": _heavy_tails,
    "go_together": _go_together,
    "counts": _counts,
    "tiny_group": _tiny_group,
    "nothing_mixed": _nothing_mixed,
}


def planted_table(kind: str, seed: int) -> PlantedTable:
    """Return a table of a kind of `TUNED` or `HELD_OUT`; the same seed gives the same table."""
    rng = np.random.default_rng([seed, *kind.encode()])
    settings = (TUNED | HELD_OUT)[kind](rng)
    truth = _groups(rng, settings)
    columns = _informative_numbers(rng, settings, truth)
    columns |= _informative_words(rng, settings, truth)
    columns |= _others(rng, settings)
    frame = pd.DataFrame(columns)
    for name in list(frame.columns)[: len(frame.columns) // 3] if settings.missing else []:
        frame[name] = frame[name].mask(rng.random(len(frame)) < settings.missing)
    frame = frame[list(rng.permutation(frame.columns))]
    ids = 10_000 + rng.permutation(3 * settings.rows)[: settings.rows]
    frame.insert(0, ID, [f"K{number}" for number in ids])
    return PlantedTable(kind, frame, truth)


def _groups(rng: Generator, settings: TableSettings) -> IntArray:
    k = settings.segments
    shares = rng.dirichlet(np.full(k, 4.0)) * (1.0 - k * settings.smallest) + settings.smallest
    truth = rng.choice(k, settings.rows, p=shares / shares.sum())
    return np.where(rng.random(settings.rows) < settings.noise, NOISE, truth).astype(np.int64)


def _informative_numbers(
    rng: Generator, settings: TableSettings, truth: IntArray
) -> dict[str, object]:
    p = settings.numbers
    if p == 0:
        return {}
    centers = _centers(rng, settings)
    latent = np.empty((settings.rows, p))
    for group in range(settings.segments):
        rows = truth == group
        latent[rows] = centers[group] + _scatter(rng, settings, int(rows.sum()))
    noise = truth == NOISE
    latent[noise] = rng.uniform(-1.0, 1.0, (int(noise.sum()), p)) * (np.abs(centers).max() + 3.0)
    latent = latent / latent.std(axis=0)
    columns: dict[str, object] = {
        NUMBERS[i]: _shown(rng, latent[:, i], settings.margin) for i in range(p)
    }
    for i in range(settings.copies):
        copy = latent[:, i] + 0.15 * rng.standard_normal(settings.rows)
        columns[f"{NUMBERS[i]}_year"] = _shown(rng, copy, settings.margin)
    return columns


def _centers(rng: Generator, settings: TableSettings) -> FloatArray:
    k, p = settings.segments, settings.numbers
    if k == 1:
        return np.zeros((1, p))
    centers = rng.standard_normal((k, p))
    if settings.own_columns:
        own = np.array_split(rng.permutation(p), k)
        centers = np.zeros((k, p))
        for group, places in enumerate(own):
            centers[group, places] = rng.choice([-1.0, 1.0], places.size) * rng.uniform(
                0.7, 1.3, places.size
            )
    apart = np.sqrt(((centers[:, None] - centers[None]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    return np.asarray(centers * settings.gap / np.median(apart.min(axis=1)))


def _scatter(rng: Generator, settings: TableSettings, rows: int) -> FloatArray:
    p = settings.numbers
    scatter = rng.standard_normal((rows, p)) * rng.uniform(0.7, 1.3, p)
    if settings.factors:
        loadings = rng.standard_normal((settings.factors, p)) * 0.6
        scatter = 0.8 * scatter + rng.standard_normal((rows, settings.factors)) @ loadings
    if settings.tails:
        scatter /= np.sqrt(rng.chisquare(settings.tails, rows) / settings.tails)[:, None]
    return np.asarray(scatter)


def _shown(rng: Generator, latent: FloatArray, margin: str) -> object:
    scale = float(10.0 ** rng.integers(1, 4))
    if margin == "skewed":
        return np.round(scale * np.exp(0.9 * latent), 2)
    if margin == "rated":
        cuts = np.quantile(latent, np.sort(rng.uniform(0.1, 0.9, 4)))
        return 1 + np.searchsorted(cuts, latent)
    if margin == "counts":
        return rng.poisson(np.exp(0.9 * latent + rng.uniform(0.5, 2.5)))
    return np.round(scale * (5.0 + latent), 1)


def _informative_words(
    rng: Generator, settings: TableSettings, truth: IntArray
) -> dict[str, object]:
    columns: dict[str, object] = {}
    for i in range(settings.words + settings.truths):
        levels = int(rng.integers(3, 7)) if i < settings.words else 2
        general = rng.dirichlet(np.full(levels, 4.0))
        special = rng.dirichlet(np.full(levels, 0.35), settings.segments)
        shares = settings.contrast * special + (1.0 - settings.contrast) * general
        shares = np.vstack([shares, general])
        columns[WORDS[i]] = _drawn(rng, shares[truth], levels)
    return columns


def _drawn(rng: Generator, shares: FloatArray, levels: int) -> object:
    codes = (rng.random(len(shares))[:, None] > np.cumsum(shares, axis=1)).sum(axis=1)
    codes = np.minimum(codes, levels - 1)
    return np.array(["ja", "nein"] if levels == 2 else LEVELS[:levels])[codes]


def _others(rng: Generator, settings: TableSettings) -> dict[str, object]:
    n, columns = settings.rows, dict[str, object]()
    free = iter(NUMBERS[settings.numbers :])
    for _ in range(settings.other_numbers):
        values = rng.standard_normal(n)
        if rng.random() < 0.3:
            values = rng.uniform(-1.7, 1.7, n)
        columns[next(free)] = _shown(rng, values, str(rng.choice(["normal", "skewed", "rated"])))
    if settings.block:
        shared = rng.standard_normal((n, 2)) @ rng.standard_normal((2, settings.block))
        values = shared + 0.5 * rng.standard_normal((n, settings.block))
        for column in (values / values.std(axis=0)).T:
            columns[next(free)] = _shown(rng, column, str(rng.choice(["normal", "skewed"])))
    words = iter(WORDS[settings.words + settings.truths :])
    for i in range(settings.other_words + settings.other_truths):
        levels = int(rng.integers(3, 7)) if i < settings.other_words else 2
        shares = rng.dirichlet(np.full(levels, 3.0))
        columns[next(words)] = _drawn(rng, np.tile(shares, (n, 1)), levels)
    for i in range(settings.dates):
        days = rng.integers(0, DAYS, n)
        if i == 1:
            columns["tenure_months"] = np.round(days / 30.4, 0)
        else:
            name = "Eintritt" if i == 0 else "last_contact"
            columns[name] = (FIRST_DAY + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d")
    return columns
