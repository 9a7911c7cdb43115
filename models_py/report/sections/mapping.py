"""Maps of the rows: principal components, t-SNE, multiple correspondence analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.describe.withholding import RARE, rare_words
from models_py.report.content import Figure, Section
from models_py.report.facts import Facts
from models_py.report.map_charts import Cloud, Place, draw_map
from models_py.report.maps import (
    FEWEST_MAPPED,
    MCA_ROWS,
    PCA_ROWS,
    TSNE_ROWS,
    correspondence_map,
    principal_map,
    sampled,
    used_perplexity,
)
from models_py.base.numbers import listed, plain, share, shortened

if TYPE_CHECKING:
    import pandas as pd

    from models_py.report.maps import Projection
    from models_py.runs.saved import SavedPartition

MOST_PARTITION_MAPS = 12
PARTITION_MAP_ROWS = 500
FEWEST_ROWS = 10
FEWEST_KNOWN_SHARE = 0.1
MOST_PLACES = 30
THIRDS = ("low", "middle", "high")


def maps_section(facts: Facts) -> Section:
    """Return the maps; which are left out, and why, is said."""
    lead = [
        f"Each point is one of the {facts.things}; near points are alike. A map of many features"
        " on two directions loses something: segments that overlap here may be apart in the"
        " others. Points carry no id and cannot be traced to anybody."
    ]
    figures: list[Figure] = []
    left_out: list[str] = []
    if facts.saved is None:
        left_out.append(f"No maps of the features: {facts.saved_problem}")
    elif facts.is_partitioned:
        figures += _partition_maps(facts)
        left_out.append(
            f"No t-SNE map: every {facts.partition_words} was searched in coordinates of its own,"
            " which one map cannot hold."
        )
    else:
        part, kept = next(iter(facts.saved.partitions.values())), facts.described_gold
        if len(kept) < FEWEST_MAPPED:
            left_out.append(f"No map of the features: {len(kept)} {facts.things} are too few.")
        else:
            figures.append(
                _principal_figure(facts, part, kept, facts.projection, PCA_ROWS, "pca", "Overview")
            )
        figures += _neighbour_figures(facts, left_out)
    figures += _correspondence_figures(facts, left_out)
    return Section("maps", "Maps", lead, figures=figures, left_out=left_out)


def _partition_maps(facts: Facts) -> list[Figure]:
    assert facts.saved is not None
    figures = []
    for place, (name, part) in enumerate(facts.saved.partitions.items()):
        rows = facts.described_gold[facts.described_gold["_partition"] == name]
        if place < MOST_PARTITION_MAPS and len(rows) >= FEWEST_ROWS:
            key, title = f"pca-{place}", f"{facts.partition_words} {name}"
            projection = principal_map(part.matrix.transform(rows))
            figures.append(
                _principal_figure(facts, part, rows, projection, PARTITION_MAP_ROWS, key, title)
            )
    return figures


def _principal_figure(
    facts: Facts,
    part: SavedPartition,
    kept: pd.DataFrame,
    projection: Projection,
    most: int,
    key: str,
    title: str,
) -> Figure:
    drawn = sampled(len(kept), most, facts.run.seed)
    features = [facts.called(name) for name in part.matrix.names_]
    right, up = (_direction(projection, features, axis) for axis in (0, 1))
    clouds = _clouds(facts, kept, drawn, projection.points[drawn])
    total = share(float(projection.shares.sum()))
    alternative = (
        f"Map of {len(drawn):,} {facts.things} on two principal components, which hold {total} of"
        f" the variance. To the right: more {right}. Upwards: more {up}."
    )
    note = (
        f"Principal components: the two directions along which the {facts.things} differ most;"
        f" they hold {total} of all differences. {_drawn_words(facts, drawn.size, len(kept))}"
    )
    drawing = draw_map(
        clouds, f"more {right} \N{RIGHTWARDS ARROW}", f"more {up} \N{RIGHTWARDS ARROW}", alternative
    )
    return Figure(key, title, drawing, alternative, note=note)


def _neighbour_figures(facts: Facts, left_out: list[str]) -> list[Figure]:
    kept = facts.described_gold
    if facts.neighbours is None:
        left_out.append(f"No t-SNE map: {len(kept)} {facts.things} are too few.")
        return []
    drawn, points = facts.neighbours
    clouds = _clouds(facts, kept, drawn, points)
    alternative = (
        f"t-SNE map of {drawn.size:,} {facts.things} in the coordinates that were clustered:"
        f" {len(clouds)} segments, each in its colour."
    )
    perplexity = used_perplexity(facts.study.describe.perplexity, drawn.size)
    note = (
        "t-SNE keeps neighbours together; distances between far groups and their sizes mean"
        f" nothing here. Perplexity {plain(perplexity)}."
        f" {_drawn_words(facts, drawn.size, len(kept))}"
    )
    drawing = draw_map(clouds, "", "", alternative)
    return [Figure("tsne", "Neighbourhoods", drawing, alternative, note=note)]


def _correspondence_figures(facts: Facts, left_out: list[str]) -> list[Figure]:
    words, what = _category_columns(facts)
    if words.shape[1] < 2 or len(words) < FEWEST_ROWS:
        left_out.append("No MCA map: fewer than two columns of categories are known.")
        return []
    drawn = words.index.to_numpy()[sampled(len(words), MCA_ROWS, facts.run.seed)]
    words = words.loc[drawn]
    words = words.loc[:, words.nunique() > 1]
    result = correspondence_map(_spelt_out(facts, words))
    shown = sampled(len(words), TSNE_ROWS, facts.run.seed)
    own = facts.gold.loc[words.index[shown]]
    clouds = (
        [Cloud(facts.things, "", 13, result.rows[shown])]
        if facts.is_partitioned
        else _clouds(facts, own, np.arange(len(own)), result.rows[shown])
    )
    # The categories farthest from the middle tell most; the others would hide one another.
    far = np.argsort(-np.hypot(*result.places.T))[:MOST_PLACES]
    places = [
        Place(result.names[i], float(result.places[i, 0]), float(result.places[i, 1])) for i in far
    ]
    columns = listed([facts.called(name) for name in words.columns])
    alternative = (
        f"Multiple correspondence map of {columns}, with {len(places)} categories and"
        f" {len(shown):,} {facts.things}. Farthest out: {listed([p.name for p in places[:3]])}."
    )
    note = (
        f"Multiple correspondence analysis of {what}: categories that go together stand together."
        f" {_drawn_words(facts, len(shown), len(words))}"
    )
    titles = [
        f"direction {axis + 1} ({share(float(result.shares[axis]))} of the inertia)"
        for axis in (0, 1)
    ]
    drawing = draw_map(clouds, titles[0], titles[1], alternative, places)
    return [Figure("mca", "Categories", drawing, alternative, note=note, is_wide=True)]


def _category_columns(facts: Facts) -> tuple[pd.DataFrame, str]:
    """Return columns of words without nulls, of large enough segments, and what they are."""
    import pandas as pd

    kept = facts.described_gold
    words = facts.categories.loc[kept.index]
    if len(kept) < FEWEST_ROWS:
        return words.iloc[:, :0], ""
    words = words.loc[:, words.notna().mean() >= FEWEST_KNOWN_SHARE]
    known = words.dropna()
    known = known.apply(lambda column: _named(column, facts.least))
    known = known.loc[:, known.nunique() > 1]
    if known.shape[1] >= 2 and len(known) >= FEWEST_ROWS:
        columns = listed([facts.called(name) for name in known.columns])
        return known, f"{columns}, of the {len(known):,} {facts.things} who have them all"
    features = facts.tables["feature_selection"]
    names = [
        str(name)
        for name in features.loc[features["is_kept"], "feature"].unique()
        if name in kept and pd.api.types.is_numeric_dtype(kept[name])
    ]
    thirds = {}
    for name in names:
        ranks = kept[name].rank(pct=True, method="first")
        thirds[name] = pd.cut(ranks, 3, labels=list(THIRDS)).astype("string")
    frame = pd.DataFrame(thirds, index=kept.index).dropna()
    return frame, "the features, each cut into thirds, since gold has no categories"


def _spelt_out(facts: Facts, words: pd.DataFrame) -> pd.DataFrame:
    """Return columns and their words as the study calls them."""
    said = words.copy()
    for column in words:
        known = words[column].unique()
        vocabulary = facts.speech.vocabulary
        said[column] = words[column].map({w: vocabulary.word(str(column), str(w)) for w in known})
    return said.rename(columns=facts.called)


def _named(column: pd.Series[Any], least: int) -> pd.Series[Any]:
    return column.mask(column.astype("string").isin(rare_words(column, least)), RARE)


def _clouds(facts: Facts, kept: pd.DataFrame, drawn: IntArray, points: FloatArray) -> list[Cloud]:
    ids = kept["_segment_id"].to_numpy()[drawn]
    return [
        Cloud(facts.title(int(item)), str(item), facts.colours[int(item)], points[ids == item])
        for item in facts.segments["segment_id"]
        if (ids == item).any()
    ]


def _direction(projection: Projection, features: list[str], axis: int) -> str:
    loadings = projection.loadings[:, axis]
    order = np.argsort(-np.abs(loadings))
    first = order[0]
    texts = [features[first]]
    if order.size > 1 and abs(loadings[order[1]]) >= 0.6 * abs(loadings[first]):
        less = "less " if loadings[order[1]] * loadings[first] < 0 else ""
        texts.append(f"{less}{features[order[1]]}")
    return shortened(", ".join(texts), 46)


def _drawn_words(facts: Facts, drawn: int, of: int) -> str:
    if drawn == of:
        return f"All {of:,} {facts.things} are drawn."
    return f"{drawn:,} of {of:,} {facts.things} are drawn, at random."
