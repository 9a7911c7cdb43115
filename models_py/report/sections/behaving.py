"""What each segment does: its spend over time, how recent and how frequent, and its mix."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.numbers import listed, plain, share, time_unit
from models_py.base.plurals import plural
from models_py.describe.traits import UNKNOWN_WORDS
from models_py.report.behaviour_charts import Cross, Series, draw_crosses, draw_series
from models_py.report.content import Figure, Section, Table
from models_py.report.drawing import joined, tag
from models_py.report.facts import Facts, is_given, records
from models_py.report.sections.comparing import segments_head

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

    from models_py.base.arrays import BoolArray, IntArray

RECENCY = ("recency_days", "days_since_*", "recency*", "*_recency*")
FREQUENCY = (
    "order_count",
    "basket_count",
    "visit_count",
    "purchase_count",
    "invoice_count",
    "*orders_per_week",
    "baskets_per_week",
    "frequency*",
    "*purchases*",
    "*order*count*",
    "*visits*",
    "orders",
)
"""Columns of how long ago the last purchase was, and of how many there were; the first counts."""

FEWEST_SHARES = 3
MOST_MIXES = 4
MOST_ROWS = 8
MOST_UNKNOWN = 0.5
"""Part of all rows without a known word up to which a column is shown."""

MOST_NARROW = 4
"""Segments up to which a mix stands beside another."""

STRONGEST = 0.42
"""Opacity of the largest share of a mix: letters stay legible on it."""


def behaviour_section(facts: Facts) -> Section:
    """Return when the segments bought, how often, and what, of which each run has its part."""
    title = "Who is in each segment"
    if facts.is_partitioned:
        why = f"No spend over time and no mix: every {facts.partition_words} has its own segments."
        return Section("behaviour", title, left_out=[why])
    over_time = [_spending(facts), _recency_and_frequency(facts)]
    figures = [figure for figure in over_time if figure is not None]
    if figures:
        title = "What they buy, and when"
    # One segment's mix is that of all, which the data's own section has.
    is_split = len(facts.segments) > 1
    mixes = [] if not is_split else [*_mixes_of_shares(facts), *_mixes_of_words(facts)][:MOST_MIXES]
    if not figures and not mixes:
        why = "No spend over time and no mix: no purchases, shares of a whole or words are known."
        return Section("behaviour", title, left_out=[why])
    return Section("behaviour", title, figures=[*figures, *mixes])


def withheld_periods(buyers: IntArray, least: int) -> BoolArray:
    """Return which periods of a segment are withheld, so that none follows from the whole.

    Parameters
    ----------
    buyers
        Shape (periods,): who bought in each.
    least
        Fewer buyers are withheld; then one period with so many is withheld as well, since the
        few may be the same in all of them.
    """
    held: BoolArray = (buyers > 0) & (buyers < least)
    others = np.flatnonzero(~held & (buyers > 0))
    if held.any() and others.size:
        held[others[buyers[others].argmin()]] = True
    return held


def _spending(facts: Facts) -> Figure | None:
    rows = facts.spending
    if rows is None or rows.empty:
        return None
    periods = sorted(rows["period"].unique())
    unit = _unit(periods)
    dates = [_date(period, unit) for period in periods]
    series = []
    for row in records(facts.segments):
        segment_id, size = int(row["segment_id"]), int(row["size"])
        own = rows[rows["segment_id"] == segment_id].set_index("period").reindex(periods)
        buyers = own["buyers"].fillna(0).to_numpy(dtype=np.int64)
        values = own["amount"].fillna(0.0).to_numpy(dtype=np.float64) / size
        values[withheld_periods(buyers, facts.least)] = np.nan
        if segment_id in facts.withheld or not np.isfinite(values).any():
            continue
        texts = [plain(float(value)) for value in values]
        colour = facts.colours[segment_id]
        series.append(Series(segment_id, facts.title(segment_id), colour, values, texts))
    if not series:
        return None
    first, last = dates[0], dates[-1]
    alternative = (
        f"Spend a head and {unit} from {first} to {last}."
        f" {'; '.join(_course(one) for one in series)}."
    )
    drawn = draw_series(series, dates, f"spend a head and {unit}", alternative)
    table = Table(
        ["segment", *dates],
        [[one.title, *one.texts] for one in series],
    )
    note = (
        f"What a segment spent in a {unit}, over all its members, whether they bought or not."
        + (" A gap: too few bought to tell." if _has_gap(series) else "")
    )
    return Figure(
        "spending", "Spend over time", drawn, alternative, note=note, table=table, is_wide=True
    )


def _course(one: Series) -> str:
    known = one.values[np.isfinite(one.values)]
    return f"segment {one.segment_id}: {plain(float(known[0]))} to {plain(float(known[-1]))}"


def _has_gap(series: list[Series]) -> bool:
    return any(not np.isfinite(one.values).all() for one in series)


def _unit(periods: list[Any]) -> str:
    days = (periods[1] - periods[0]).days
    return "month" if days >= 28 else "week" if days == 7 else "day"


def _date(period: Any, unit: str) -> str:
    return f"{period:%b %Y}" if unit == "month" else f"{period.day} {period:%b}"


def _recency_and_frequency(facts: Facts) -> Figure | None:
    rows = facts.table("segment_features")
    named = [_first(rows, patterns) for patterns in (RECENCY, FREQUENCY)]
    if None in named or not is_given(rows, "lower_quartile", "upper_quartile", "median"):
        return None
    recency, frequency = (str(name) for name in named)
    crosses, table = [], []
    for segment_id in facts.segments["segment_id"].astype(int):
        sides = [_quartiles(rows, segment_id, name) for name in (recency, frequency)]
        if sides[0] is None or sides[1] is None:
            continue
        across, upwards = sides[0], sides[1]
        texts = [
            [facts.value(name, value) for value in side]
            for name, side in ((recency, across), (frequency, upwards))
        ]
        tip = f"{facts.title(segment_id)}: " + "; ".join(
            f"{facts.called(name)} {text[1]}, half of them {text[0]} to {text[2]}"
            for name, text in zip((recency, frequency), texts, strict=True)
        )
        crosses.append(Cross(segment_id, facts.colours[segment_id], across, upwards, tip))
        table.append([facts.title(segment_id), *texts[0], *texts[1]])
    if len(crosses) < 2:
        return None
    names = [facts.called(name) for name in (recency, frequency)]
    alternative = f"{names[0]} against {names[1]}. {'; '.join(cross.tip for cross in crosses)}."
    days = time_unit(recency).strip()
    drawn = draw_crosses(crosses, f"{names[0]}{', ' if days else ''}{days}", names[1], alternative)
    parts = ("lower quartile", "median", "upper quartile")
    heads = [f"{name}, {part}" for name in names for part in parts]
    return Figure(
        "recency-frequency",
        "Recency against frequency",
        drawn,
        alternative,
        note="A number stands at the middle values of its segment; its arms hold the middle half"
        " of the members. Up and to the left: came lately, and often.",
        table=Table(["segment", *heads], table),
        is_wide=True,
    )


def _first(rows: pd.DataFrame, patterns: tuple[str, ...]) -> str | None:
    names = sorted(rows["feature"].astype(str).unique())
    return next((n for pattern in patterns for n in names if fnmatchcase(n, pattern)), None)


def _quartiles(
    rows: pd.DataFrame, segment_id: int, feature: str
) -> tuple[float, float, float] | None:
    own = rows[(rows["segment_id"] == segment_id) & (rows["feature"] == feature)]
    own = own[["lower_quartile", "median", "upper_quartile"]].dropna()
    if own.empty:
        return None
    low, middle, high = (float(value) for value in own.iloc[0])
    return low, middle, high


def _mixes_of_shares(facts: Facts) -> list[Figure]:
    """Return a table for each whole whose shares the run profiled, such as departments."""
    rows = facts.table("segment_features").dropna(subset=["mean"])
    shares = [name for name in rows["feature"].astype(str).unique() if name.endswith("_share")]
    families: dict[str, list[str]] = {}
    for name in sorted(shares):
        families.setdefault(name.partition("_")[0], []).append(name)
    figures = []
    for family, names in sorted(families.items(), key=lambda item: -len(item[1])):
        own = rows[rows["feature"].isin(names)]
        of_all = own.groupby("feature")["population_mean"].first()
        if len(names) < FEWEST_SHARES or not 0.5 <= float(of_all.sum()) <= 1.001:
            continue
        wide = own.pivot(index="feature", columns="segment_id", values="mean").assign(all=of_all)
        words = {
            name: name.removeprefix(f"{family}_").removesuffix("_share").replace("_", " ")
            for name in names
        }
        figures.append(_mix(facts, f"mix-{family}", f"{family} mix", wide, words))
    return figures


def _mixes_of_words(facts: Facts) -> list[Figure]:
    """Return a table for each column of words, those that differ most between segments first.

    The shares are of those whose word is known.
    """
    rows = facts.table("segment_categories").dropna(subset=["share", "population_share"])
    is_unknown = rows["category"].astype(str).str.lower().isin(UNKNOWN_WORDS)
    rows = rows[(rows["feature"] != facts.study.label) & ~is_unknown]
    if rows.empty:
        return []
    known = rows.groupby(["feature", "segment_id"])[["share", "population_share"]].transform("sum")
    rows = rows[known["population_share"] >= MOST_UNKNOWN].assign(
        share=rows["share"] / known["share"],
        population_share=rows["population_share"] / known["population_share"],
    )
    apart = (rows["share"] - rows["population_share"]).abs().groupby(rows["feature"]).max()
    figures = []
    for feature in apart.sort_values(ascending=False, kind="stable").index:
        own = rows[rows["feature"] == feature]
        of_all = own.groupby("category")["population_share"].first()
        wide = own.pivot(index="category", columns="segment_id", values="share").assign(all=of_all)
        words = {word: facts.speech.vocabulary.word(str(feature), str(word)) for word in wide.index}
        key = f"mix-{feature}".replace(" ", "-")
        figures.append(_mix(facts, key, f"{facts.called(feature)} mix", wide.fillna(0.0), words))
    return figures


def _mix(facts: Facts, key: str, title: str, wide: pd.DataFrame, words: dict[str, str]) -> Figure:
    ids = [int(i) for i in facts.segments["segment_id"] if int(i) in wide.columns]
    shown = wide.sort_values("all", ascending=False, kind="stable").head(MOST_ROWS)
    most = float(np.max(shown[[*ids, "all"]].to_numpy(dtype=np.float64), initial=0.0)) or 1.0
    body = [
        tag(
            "tr",
            tag("th", words[str(name)], scope="row"),
            *[_share_cell(row[segment_id], most, segment_id) for segment_id in ids],
            tag("td", share(float(row["all"])), class_="everybody"),
        )
        for name, row in shown.iterrows()
    ]
    largest = [
        f"segment {segment_id}: {words[str(shown[segment_id].idxmax())]}"
        f" {share(float(shown[segment_id].max()))}"
        for segment_id in ids
        if shown[segment_id].notna().any()
    ]
    alternative = f"{title[:1].upper()}{title[1:]}, the largest part: {listed(largest)}."
    more = len(wide) - len(shown)
    note = "A darker cell is a larger part of its segment." + (
        f" {plural(more, 'smaller part')} left out." if more else ""
    )
    drawn = mix_table(facts, ids, joined(body), alternative)
    return Figure(key, title, drawn, alternative, note=note, is_wide=len(ids) > MOST_NARROW)


def mix_table(facts: Facts, ids: list[int], body: Markup, alternative: str) -> Markup:
    """Return a table of shares by segment; it scrolls where the screen is narrow."""
    head = segments_head(facts, ids)
    caption = tag("caption", alternative, class_="unseen")
    return tag(
        "div",
        tag("table", caption, head, tag("tbody", body), class_="heat mix"),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label="shares by segment; scrolls sideways on a narrow screen",
    )


def _share_cell(value: float, most: float, segment_id: int) -> Markup:
    if not np.isfinite(value):
        return tag("td", "", data_of=segment_id)
    style = f"--a:{value / most * STRONGEST:.2f}"
    return tag("td", share(float(value)), class_="cell level", style=style, data_of=segment_id)
