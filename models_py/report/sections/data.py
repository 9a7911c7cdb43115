"""The data behind the segments: what was known, how it is spread, what was kept, what is odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from models_py.base.arrays import FloatArray
from models_py.base.plurals import many, plural
from models_py.base.rounding import constant_columns
from models_py.features.outliers import INCOMPLETE
from models_py.report.content import Figure, Section, Table
from models_py.report.drawing import joined, tag
from models_py.report.facts import Facts, known_numbers, number, records
from models_py.report.line_charts import Curve, draw_curves, draw_distribution, drawn_range
from models_py.base.numbers import count, listed, plain, share
from models_py.report.shape_charts import Bar, draw_bars, draw_grid

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 24
MOST_CORRELATED = 20
NO_VALUE = "every value is null"
"""The reason of models_py.features.matrix for a column without values."""

STEPS = {
    "matrix": "could not be used",
    "variance": "hardly varies",
    "correlation": "goes with another",
    "vif": "follows from others",
    "importance": "over the number allowed",
}


def data_section(facts: Facts) -> Section:
    """Return missing values, distributions and correlations of the features."""
    columns = number_columns(facts)
    frame = facts.described_gold[columns]
    lead = [
        f"{facts.run.rows_read:,} rows of {facts.run.source_table}, one for each of the"
        f" {facts.things}. {_changed(facts)}"
    ]
    left_out = []
    if facts.withheld:
        lead.append(
            f"Drawn from {plural(len(frame), 'row')}: those of segments that are not described"
            " are left out."
        )
    if frame.empty:
        return Section("data", "The data", lead, left_out=["Too few rows are left to be drawn."])
    if not columns:
        return Section("data", "The data", lead, left_out=["No feature is a column of numbers."])
    figures = [_missing(facts, frame), _distributions(facts, frame)]
    related = _correlations(facts, frame)
    if related is None:
        left_out.append("No correlations: fewer than two columns vary.")
    else:
        figures.append(related)
    return Section("data", "The data", lead, figures=figures, left_out=left_out)


def selection_section(facts: Facts) -> Section:
    """Return which features were kept and why the others went."""
    rows = facts.tables["feature_selection"]
    kept, dropped = rows[rows["is_kept"]], rows[~rows["is_kept"]]
    names = kept["feature"].nunique()
    lead = [
        f"{names} of {plural(rows['feature'].nunique(), 'feature')} were kept. Two features that"
        " say the same would count twice, so one of them goes."
    ]
    tables = [("Kept", _kept(facts, kept))]
    figures = [
        _weights(facts, kept, "importance", "How important each feature is"),
        _weights(facts, rows, "variance", "How much each feature varies, brought to 0 to 1"),
    ]
    left_out = []
    empty = dropped["reason"] == NO_VALUE
    if empty.any():
        names_of = [facts.called(name) for name in dropped.loc[empty, "feature"].unique()]
        lead.append(f"Without any value in the source, so of no use: {listed(names_of)}.")
        dropped = dropped[~empty]
    if dropped.empty:
        left_out.append("No other feature went.")
    else:
        tables.append(("Not used", _dropped(facts, dropped)))
    return Section(
        "features",
        "Which features were used",
        lead,
        figures=[figure for figure in figures if figure is not None],
        tables=tables,
        left_out=left_out,
    )


def outliers_section(facts: Facts) -> Section:
    """Return how many rows were kept out of the search, and where they went; none is shown."""
    rows = facts.tables["outliers"]
    flagged = facts.gold[facts.gold["_is_outlier"].astype(bool)]
    title = "Unusual ones"
    if rows.empty or flagged.empty:
        why = "No outliers: the study does not look for them, or found none."
        return Section("outliers", title, left_out=[why])
    incomplete = rows["method"] == INCOMPLETE
    unusual = len(flagged) - int(incomplete.sum())
    lead = [_incomplete_lead(facts, int(incomplete.sum()))] if incomplete.any() else []
    if unusual > 0:
        method = str(rows["method"][~incomplete].iloc[0]).replace("_", " ")
        lead.append(
            f"{count(unusual)} of the {facts.things} ({share(unusual / len(facts.gold))})"
            f" {'is' if unusual == 1 else 'are'} so unlike all others as to bend the segments"
            f" (found by {method}): left out of the search, then given the nearest segment, and"
            " flagged in results.assignments."
        )
    word = "left-out" if incomplete.any() else "unusual"
    by_segment = flagged["_segment_id"].value_counts()
    sizes = facts.segments.set_index("segment_id")["size"]
    shares = {
        int(segment_id): float(by_segment.get(segment_id, 0)) / float(sizes[segment_id])
        for segment_id in sizes.index
        if int(segment_id) not in facts.withheld
    }
    longest = max(shares.values(), default=1.0) or 1.0
    bars = [
        Bar(facts.title(item), share(value), value / longest, facts.colours[item])
        for item, value in shares.items()
    ]
    text = "; ".join(f"{bar.title} {bar.text}" for bar in bars)
    alternative = f"Share of {word} {facts.things} in each segment: {text}."
    figure = Figure(
        "outliers-by-segment",
        f"{word.capitalize()} {facts.things} by segment",
        draw_bars(bars, alternative),
        alternative,
        table=Table(["segment", word], [[bar.title, bar.text] for bar in bars]),
        is_wide=True,
    )
    return Section("outliers", title, lead, figures=[figure])


def _incomplete_lead(facts: Facts, incomplete: int) -> str:
    return (
        f"{count(incomplete)} {facts.things} ({share(incomplete / len(facts.gold))}) lack the value"
        " of a feature. They were left out of the search, then given the segment that they are"
        " nearest to with the gap filled, and are flagged in results.assignments."
    )


def training_section(facts: Facts) -> Section | None:
    """Return how the networks learnt; None where the run has none."""
    if facts.saved is None:
        return None
    figures = []
    for place, part in enumerate(facts.saved.partitions.values()):
        for encoder in (part.reconstruction, part.encoder):
            if encoder is not None and encoder.history_:
                of = f": {part.name}" if facts.is_partitioned else ""
                figures.append(_training(encoder.kind, encoder.history_, of, f"{place}"))
    if not figures:
        return None
    lead = [
        "The coordinates of the chosen segments come from a network that learns to rebuild each"
        " row from a few numbers. The curves show its error falling; where the second rises while"
        " the first falls, it learns by heart."
    ]
    return Section("training", "How the network learnt", lead, figures=figures)


def number_columns(facts: Facts) -> list[str]:
    """Return gold columns of numbers: features by importance first, then measures."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    rows = facts.tables["feature_selection"]
    ordered = rows.sort_values(["is_kept", "importance"], ascending=[False, False])
    wanted = [*ordered["feature"].astype(str), *facts.gold.columns]
    return [
        name
        for name in dict.fromkeys(wanted)
        if name in facts.gold
        and not name.startswith("_")
        and is_numeric_dtype(facts.gold[name])
        and not is_bool_dtype(facts.gold[name])
    ]


def _changed(facts: Facts) -> str:
    if not facts.run.run_id:
        return "Nothing was clustered yet."
    gone = facts.run.rows_read - len(facts.gold)
    if gone > 0:
        return (
            f"{plural(gone, 'row')} of the run are not in gold any more; what is drawn from single"
            " rows leaves them out."
        )
    if facts.is_gold_changed:
        return (
            "Gold has changed since the run: what is drawn from single rows shows it as it is now."
        )
    return "Gold holds the same values as when the run read it."


def _missing(facts: Facts, frame: pd.DataFrame) -> Figure:
    missing = frame.isna().mean().sort_values(ascending=False, kind="stable")
    shown = missing[(missing > 0) & (missing < 1)].head(MOST_COLUMNS)
    complete = int((missing == 0).sum())
    words = f"{complete} of {plural(len(missing), 'column')} have a value in every row."
    empty = [facts.called(name) for name in missing.index[missing == 1]]
    if empty:
        words += f" {plural(len(empty), 'column')} have none, since the source does not tell:"
        words += f" {listed(empty)}."
    bars = [
        Bar(facts.called(name), share(float(value)), float(value)) for name, value in shown.items()
    ]
    text = ", ".join(f"{bar.title} {bar.text}" for bar in bars[:5])
    alternative = f"Missing values. {words} {text}".strip()
    drawn = draw_bars(bars, alternative) if bars else tag("p", words, class_="plain")
    return Figure(
        "missing",
        "Missing values",
        drawn,
        alternative,
        note=words if bars else "",
        table=Table(["column", "missing"], [[bar.title, bar.text] for bar in bars])
        if bars
        else None,
        is_wide=True,
    )


def _distributions(facts: Facts, frame: pd.DataFrame) -> Figure:
    cells, rows = [], []
    for name in frame.columns[frame.notna().any()][:MOST_COLUMNS]:
        values = known_numbers(frame[name])
        if values.size < max(2, facts.least):
            continue
        low, middle, high = (float(q) for q in np.quantile(values, [0.1, 0.5, 0.9]))
        texts = [facts.value(name, value) for value in (low, middle, high)]
        words = f"{facts.called(name)}: half below {texts[1]}"
        words += f", a tenth below {texts[0]}, a tenth above {texts[2]}"
        cells.append(
            tag(
                "div",
                tag("div", facts.called(name), class_="bar-title"),
                draw_distribution(values, edge_texts(facts, name, values), words),
                class_="spark-cell",
            )
        )
        typical = [float(values.mean()), float(values.std())]
        rows.append([facts.called(name), *(facts.value(name, v) for v in typical), *texts])
    drawn = tag("div", joined(cells), class_="sparks")
    more = int(frame.notna().any().sum()) - len(cells)
    note = "The line is the middle value; the outer hundredth at either end is cut off."
    if more:
        note += f" {plural(more, 'more column')} not shown."
    return Figure(
        "distributions",
        "How the values are spread",
        Markup(drawn),
        f"Distributions of {len(cells)} columns of {facts.run.source_table}; see the table.",
        note=note,
        table=Table(
            ["column", "mean", "deviation", "a tenth below", "half below", "a tenth above"], rows
        ),
        is_wide=True,
    )


def edge_texts(facts: Facts, name: str, values: FloatArray) -> tuple[str, str]:
    """Return the edges of a drawn distribution in the column's units."""
    low, high = drawn_range(values)
    return facts.value(name, low), facts.value(name, high)


def _correlations(facts: Facts, frame: pd.DataFrame) -> Figure | None:
    numbers = frame.astype(float).to_numpy(dtype=np.float64)
    varied = frame.loc[:, ~constant_columns(numbers)].iloc[:, :MOST_CORRELATED]
    if varied.shape[1] < 2:
        return None
    related = varied.astype(float).corr(method="spearman", min_periods=max(3, facts.least))
    values = related.to_numpy(dtype=np.float64)
    titles = [facts.called(name) for name in varied.columns]
    apart = np.nan_to_num(values.copy())
    np.fill_diagonal(apart, 0.0)
    row, column = np.unravel_index(int(np.abs(apart).argmax()), apart.shape)
    alternative = (
        f"Rank correlations of {len(titles)} columns. Strongest: {titles[row]} and"
        f" {titles[column]}, {values[row, column]:.2f}."
    )
    return Figure(
        "correlations",
        "Which columns go together",
        draw_grid(values, titles, alternative),
        alternative,
        note="Spearman's rank correlation; orange: both rise together, blue: one falls.",
        is_wide=True,
    )


def _weights(facts: Facts, rows: pd.DataFrame, name: str, title: str) -> Figure | None:
    known = rows[rows[name].notna()].astype({name: float}).groupby("feature")[name].mean()
    shown = known.sort_values(ascending=False, kind="stable").head(MOST_COLUMNS)
    if shown.empty:
        return None
    longest = float(shown.max()) or 1.0
    bars = [
        Bar(facts.called(feature), plain(float(value)), float(value) / longest)
        for feature, value in shown.items()
    ]
    alternative = f"{title}: {', '.join(f'{bar.title} {bar.text}' for bar in bars[:5])}."
    return Figure(f"feature-{name}", title, draw_bars(bars, alternative), alternative)


def _kept(facts: Facts, kept: pd.DataFrame) -> Table:
    grouped = kept.groupby("feature").agg(
        importance=("importance", "mean"), vif=("vif", "mean"), parts=("partition", "nunique")
    )
    ordered = grouped.sort_values("importance", ascending=False).reset_index()
    of = [_parts_title(facts)] if facts.is_partitioned else []
    rows = [
        [
            facts.called(row["feature"]),
            *([_parts(facts, row["parts"])] if of else []),
            plain(number(row, "importance")),
            plain(number(row, "vif")),
        ]
        for row in records(ordered)
    ]
    return Table(["feature", *of, "importance", "variance inflation"], rows)


def _dropped(facts: Facts, dropped: pd.DataFrame) -> Table:
    grouped = dropped.groupby(["feature", "dropped_at"]).agg(
        reason=("reason", "first"), parts=("partition", "nunique")
    )
    of = [_parts_title(facts)] if facts.is_partitioned else []
    columns = {str(name) for name in facts.tables["feature_selection"]["feature"]}
    rows = [
        [
            facts.called(row["feature"]),
            STEPS.get(str(row["dropped_at"]), str(row["dropped_at"])),
            *([_parts(facts, row["parts"])] if of else []),
            _in_words(facts, str(row["reason"] or ""), columns),
        ]
        for row in records(grouped.reset_index())
    ]
    head = ["feature", "why", *of, "in detail" + (", for the first" if of else "")]
    return Table(head, rows, frozenset(range(len(head))))


def _in_words(facts: Facts, reason: str, columns: set[str]) -> str:
    # Reasons name other features as they are in gold.
    return " ".join(
        facts.called(bare) + word[len(bare) :] if (bare := word.rstrip(",;")) in columns else word
        for word in reason.split(" ")
    )


def _parts_title(facts: Facts) -> str:
    return f"in how many {many(facts.partition_words)}"


def _parts(facts: Facts, count_of: object) -> str:
    return f"{count_of} of {facts.segments['partition'].nunique()}"


def _training(kind: str, history: list[dict[str, float]], of: str, key: str) -> Figure:
    epochs = np.array(
        [epoch_record.get("epoch", place) for place, epoch_record in enumerate(history)],
        dtype=float,
    )
    curves = []
    for name, words in (
        ("loss", "training"),
        ("val_loss", "validation"),
        ("validation_loss", "validation"),
    ):
        values = np.array([epoch_record.get(name, np.nan) for epoch_record in history], dtype=float)
        if np.isfinite(values).any():
            known = np.isfinite(values)
            curves.append(Curve(words, epochs[known], values[known]))
    text = "; ".join(
        f"{curve.name} from {plain(float(curve.ys[0]))} to {plain(float(curve.ys[-1]))}"
        for curve in curves
    )
    alternative = f"Loss of the {kind.replace('_', ' ')} over {len(history)} epochs. {text}."
    return Figure(
        f"training-{key}-{kind.replace('_', '-')}",
        f"Error by epoch, {kind.replace('_', ' ')}{of}",
        draw_curves(curves, "epoch", "loss", alternative, x_name="epoch"),
        alternative,
    )
