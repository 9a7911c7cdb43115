"""Pictures of a run for slides and mails: PNG files beside the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.report.facts import Facts, known_numbers, records
from models_py.base.numbers import share, shortened
from models_py.report.maps import FEWEST_MAPPED, sampled
from models_py.report.resemblance import (
    add_axes,
    draw_resemblance,
    literal_text,
    matplotlib_figure,
    save_picture,
    text_inches,
)
from models_py.studies.measures import COMMON_SILHOUETTE


PALETTE = (
    "#0072b2", "#d55e00", "#7a1f2b", "#083ac0", "#003e5c", "#3d257a",
    "#00805c", "#3a93c9", "#b0303a", "#055a54", "#8e6cd8", "#5c46b0",
)  # fmt: skip
"""The page's colours on paper, in its order."""

MOST_POINTS = 4_000
MOST_FEATURES = 18
MOST_BOXES = 6
DOTS_PER_INCH = 130


def draw_pictures(facts: Facts, folder: Path) -> list[Path]:
    """Draw a run: sizes, profiles, boxes, importance, silhouettes by number, maps, training.

    Parameters
    ----------
    facts
        The run.
    folder
        Where the PNG files go; it is made.

    Returns
    -------
    list of Path
        Those that could be drawn of this run.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    """
    figure_class = matplotlib_figure()
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, draw in (
        ("sizes", _sizes),
        ("profiles", _profiles),
        ("boxes", _boxes),
        ("importance", _importance),
        ("silhouettes", _silhouettes),
        ("map", _map),
        ("training", _training),
        ("tsne", _neighbours),
    ):
        figure = figure_class(dpi=DOTS_PER_INCH)
        if draw(figure, facts):
            path = folder / f"{name}.png"
            save_picture(figure, path)
            drawn.append(path)
    return drawn + _resemblance(facts, folder)


def _resemblance(facts: Facts, folder: Path) -> list[Path]:
    rows = facts.table("partition_resemblance")
    if facts.study.partition_by is None or not facts.is_partitioned or rows.empty:
        return []
    result = facts.segments[~facts.segments["segment_id"].isin(facts.withheld)]
    return [draw_resemblance(result, rows, facts.study.partition_by, folder / "resemblance.png")]


def _sizes(figure: Any, facts: Facts) -> bool:
    rows = records(facts.segments)[::-1]
    parts = [float(row["share"]) for row in rows]
    colours = [PALETTE[facts.colours[int(row["segment_id"])] - 1] for row in rows]
    titles = [_title(facts, int(row["segment_id"])) for row in rows]
    axes = _bars(figure, titles, parts, colours)
    axes.set_title(
        f"{facts.study.title}: share of the {facts.things}", loc="left", parse_math=False
    )
    return True


def _bars(figure: Any, titles: list[str], parts: list[float], colours: Any) -> Any:
    height = 0.7 + 0.36 * len(parts)
    axes = add_axes(figure, (8.0, height), left=text_inches(titles) + 0.2, bottom=0.2, top=0.4)
    bars = axes.barh(range(len(parts)), parts, color=colours)
    axes.bar_label(bars, [share(part) for part in parts], padding=4)
    axes.set_yticks(range(len(parts)), titles)
    axes.set_xlim(0.0, max(*parts, 0.01) * 1.1)
    axes.set_xticks([])
    _plain(axes)
    return axes


def _title(facts: Facts, segment_id: int) -> str:
    return literal_text(shortened(facts.title(segment_id), 44))


def _profiles(figure: Any, facts: Facts) -> bool:
    rows = facts.table("segment_features").dropna(subset="population_mean")
    model = rows[rows["is_model_feature"].astype(bool)]
    if model.empty:
        return False
    order = model.groupby("feature")["importance"].max().sort_values(ascending=False)
    names = list(order.head(MOST_FEATURES).index)
    ids = [i for i in facts.segments["segment_id"] if int(i) not in facts.withheld]
    wide = model.pivot_table(index="feature", columns="segment_id", values="z", dropna=False)
    values = wide.reindex(index=names, columns=ids).to_numpy(dtype=np.float64)
    titles = [literal_text(facts.called(name)) for name in names]
    left = text_inches(titles) + 0.2
    size = (left + 0.75 * len(ids) + 1.0, 1.0 + 0.38 * len(names))
    axes = add_axes(figure, size, left=left, right=1.0, bottom=0.55, top=0.4)
    image = axes.imshow(values, vmin=-2, vmax=2, cmap="PuOr_r", aspect="auto")
    axes.set_yticks(range(len(names)), titles)
    axes.set_xticks(range(len(ids)), [str(i) for i in ids])
    axes.set_xlabel("segment")
    axes.set_title("Standard deviations from the mean", loc="left", x=-left / (0.75 * len(ids)))
    beside = add_axes(figure, size, left=size[0] - 0.8, right=0.6, bottom=0.55, top=0.4)
    figure.colorbar(image, cax=beside, ticks=range(-2, 3))
    return True


def _importance(figure: Any, facts: Facts) -> bool:
    rows = facts.table("segment_features").dropna(subset="importance")
    model = rows[rows["is_model_feature"].astype(bool)]
    if model.empty or facts.is_partitioned:
        return False
    known = model.groupby("feature")["importance"].max().sort_values().tail(MOST_FEATURES)
    titles = [literal_text(shortened(facts.called(name), 44)) for name in known.index]
    axes = _bars(figure, titles, [float(value) for value in known], PALETTE[0])
    axes.set_title("Share of each feature's variance between segments", loc="left")
    return True


def _boxes(figure: Any, facts: Facts) -> bool:
    """Draw the features that differ most, a box a segment; whiskers hold 90%, no row is a dot."""
    gold = facts.described_gold
    rows = facts.table("segment_features").dropna(subset="importance")
    order = rows.groupby("feature")["importance"].max().sort_values(ascending=False).index
    names = [str(n) for n in order if n in gold and len(known_numbers(gold[n]))][:MOST_BOXES]
    ids = [int(i) for i in facts.segments["segment_id"] if int(i) not in facts.withheld]
    if not names or not ids or facts.is_partitioned:
        return False
    rows_high = -(-len(names) // 2)
    width, height = max(3.0, 0.9 + 0.5 * len(ids)), 2.3
    size = (2 * width, rows_high * height + 0.4)
    colours = [PALETTE[facts.colours[item] - 1] for item in ids]
    own = [gold.loc[gold["_segment_id"] == item, names] for item in ids]
    for place, name in enumerate(names):
        row, column = divmod(place, 2)
        bottom = size[1] - (row + 1) * height
        axes = add_axes(
            figure,
            size,
            left=column * width + 0.75,
            right=(1 - column) * width + 0.1,
            bottom=bottom + 0.35,
            top=row * height + 0.35,
        )
        values = [known_numbers(rows[name]) for rows in own]
        _draw_boxes(axes, [v if v.size >= facts.least else v[:0] for v in values], colours)
        axes.set_xticks(range(len(ids)), [str(item) for item in ids])
        axes.locator_params(axis="y", nbins=5)
        axes.set_title(literal_text(shortened(facts.called(name), 48)), loc="left", fontsize=9)
        _plain(axes)
    figure.text(
        0.5,
        0.12 / size[1],
        "segment; the line is the middle, the box half of the rows, whiskers 90%",
        ha="center",
    )
    return True


def _draw_boxes(axes: Any, values: list[FloatArray], colours: list[str]) -> None:
    # A box plot of matplotlib's own is six lines and a patch a box; these are three in all.
    ends = [
        np.percentile(own, [5, 25, 50, 75, 95]) if own.size else np.full(5, np.nan)
        for own in values
    ]
    low, first, middle, third, high = np.array(ends).T
    places = np.arange(len(values))
    axes.bar(places, third - first, 0.5, first, color=colours, alpha=0.6, edgecolor="black")
    axes.vlines([*places, *places], [*low, *third], [*first, *high], colors="black", linewidth=1.0)
    axes.hlines(middle, places - 0.25, places + 0.25, colors="black", linewidth=2.0)
    axes.set_xlim(-0.6, len(values) - 0.4)
    axes.margins(y=0.08)


def _training(figure: Any, facts: Facts) -> bool:
    if facts.saved is None or facts.is_partitioned:
        return False
    part = next(iter(facts.saved.partitions.values()))
    history = part.encoder.history_ if part.encoder is not None else []
    if not history:
        return False
    axes = add_axes(figure, (7.0, 4.0), left=0.8, bottom=0.6, top=0.4)
    for name, words in (
        ("loss", "training"),
        ("validation_loss", "validation"),
        ("validation_mae", "validation, mean absolute error"),
    ):
        values = [epoch.get(name, np.nan) for epoch in history]
        if np.isfinite(values).any():
            axes.plot(range(1, len(values) + 1), values, label=words)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.set_title("Error by epoch", loc="left")
    axes.legend(frameon=False)
    _plain(axes)
    return True


def _silhouettes(figure: Any, facts: Facts) -> bool:
    from models_py.report.sections.choosing import counted_silhouettes

    search = counted_silhouettes(facts)
    known = search[search[COMMON_SILHOUETTE.name].notna()]
    if facts.is_partitioned or known["k"].nunique() < 2:
        return False
    axes = add_axes(figure, (7.0, 4.0), left=0.8, bottom=0.6, top=0.4)
    for keys, rows in known.groupby(["algorithm", "encoding"]):
        best = rows.groupby("k")[COMMON_SILHOUETTE.name].max()
        axes.plot(best.index, best.to_numpy(), marker="o", label=" on ".join(map(str, keys)))
    won = known[known["is_chosen"]]
    axes.plot(
        won["k"], won[COMMON_SILHOUETTE.name], "o", markersize=14, fillstyle="none", color="black"
    )
    axes.set_xlabel("number of segments")
    axes.set_ylabel("silhouette")
    axes.set_title("Candidates; the ring is the one chosen", loc="left")
    axes.legend(frameon=False)
    _plain(axes)
    return True


def _map(figure: Any, facts: Facts) -> bool:
    kept = facts.described_gold
    if facts.saved is None or facts.is_partitioned or len(kept) < FEWEST_MAPPED:
        return False
    points = facts.projection.points
    drawn = sampled(len(kept), MOST_POINTS, facts.run.seed)
    _scatter(figure, facts, points[drawn], kept["_segment_id"].to_numpy()[drawn])
    figure.axes[0].set_title(
        f"{drawn.size:,} {facts.things} on two principal components", loc="left"
    )
    return True


def _neighbours(figure: Any, facts: Facts) -> bool:
    if facts.neighbours is None:
        return False
    drawn, points = facts.neighbours
    _scatter(figure, facts, points, facts.described_gold["_segment_id"].to_numpy()[drawn])
    figure.axes[0].set_title(f"{drawn.size:,} {facts.things} by t-SNE", loc="left")
    return True


def _scatter(figure: Any, facts: Facts, points: FloatArray, ids: IntArray) -> None:
    axes = add_axes(figure, (8.0, 6.0), left=0.1, right=0.1, bottom=0.1, top=0.4)
    for segment_id in facts.segments["segment_id"]:
        own = points[ids == segment_id]
        if len(own):
            colour = PALETTE[facts.colours[int(segment_id)] - 1]
            title = _title(facts, int(segment_id))
            axes.scatter(own[:, 0], own[:, 1], s=7, alpha=0.6, color=colour, label=title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(frameon=False, markerscale=2.5, fontsize=8, loc="best")


def _plain(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
