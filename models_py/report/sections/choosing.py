"""Why these segments: candidates, curves, silhouettes, the tree of segments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.plurals import plural
from models_py.describe.meanings import offer, sureness
from models_py.report.content import Figure, Section, Table
from models_py.report.facts import Facts, is_given, number, records
from models_py.report.line_charts import Band, Curve, draw_curves, draw_silhouettes
from models_py.base.numbers import plain, share
from models_py.report.sections.summary import mean_silhouette
from models_py.report.shape_charts import draw_tree
from models_py.studies.measures import (
    COMMON_DAVIES_BOULDIN,
    COMMON_SILHOUETTE,
    INERTIA,
    METRIC_SILHOUETTE,
    NOISE_SHARE,
    SILHOUETTE,
    SMALLEST_SHARE,
    STABILITY,
    Measure,
)
from models_py.clustering.algorithms import ALGORITHMS

if TYPE_CHECKING:
    import pandas as pd

    from models_py.runs.saved import SavedPartition

MOST_CANDIDATES = 12
DEFAULTS = {"k", "n_init"}
"""Parameters that do not tell one curve from another."""

MOST_BANDS = 24
SHOWN: dict[Measure, Callable[[float], str]] = {
    COMMON_SILHOUETTE: "{:.3f}".format,
    COMMON_DAVIES_BOULDIN: plain,
    SMALLEST_SHARE: share,
    STABILITY: plain,
}
"""Measures in the table of candidates, each with how it is written."""

SAME_SILHOUETTE = 5e-4
"""Values that the table writes alike."""

CURVES = (
    (
        INERTIA,
        "elbow",
        "How tight the segments are",
        "Inertia: the summed squared distances to the segments' middles. It always"
        " falls with more segments; past a bend, one more brings little.",
    ),
    (
        COMMON_SILHOUETTE,
        "silhouettes",
        "How far apart they are",
        "Mean silhouette in the space of the scaled features, which is the same for"
        " every candidate: 1 well apart, 0 on a border.",
    ),
)
"""Measures drawn over k: the drawing's key, its title and its note."""


def choosing_section(facts: Facts) -> Section:
    """Return how the segments were chosen among the candidates."""
    search = counted_silhouettes(facts)
    lead = [f"{plural(len(search), 'candidate')} {'was' if len(search) == 1 else 'were'} tried."]
    reasons = []
    if facts.is_partitioned:
        reasons = [_sentence(reason) for reason in facts.run.chosen_because.split("; ")]
    else:
        lead = [f"{lead[0]} {_sentence(facts.run.chosen_because)}"]
    left_out: list[str] = []
    others = _other_answers(facts)
    figures: list[Figure] = []
    if facts.is_partitioned:
        figures += _partition_curves(facts, search, left_out)
    else:
        figures += _curves(search, left_out, "")
    figures += _silhouette_figures(facts, left_out)
    figures += _tree_figures(facts, left_out)
    return Section(
        "why",
        "Why these segments",
        lead,
        figures=figures,
        points=reasons + others,
        tables=[(_candidates_title(len(search)), _candidates(facts, search))],
        left_out=left_out,
    )


def counted_silhouettes(facts: Facts) -> pd.DataFrame:
    """Return the candidates; where a rule chose, their silhouettes as it counts them.

    Rows left as noise count 0: else a candidate that clusters none but the densest would win.
    """
    search = facts.tables["model_search"]
    if facts.study.choose.by != "rule" or not is_given(search, NOISE_SHARE.name):
        return search
    kept = 1.0 - search[NOISE_SHARE.name].fillna(0.0)
    own = [m.name for m in (COMMON_SILHOUETTE, METRIC_SILHOUETTE) if m.name in search]
    return search.assign(**{name: search[name] * kept for name in own})


def _other_answers(facts: Facts) -> list[str]:
    points = []
    for row in facts.tables["answers"].to_dict("records"):
        of = f"{facts.partition_words} {row['partition']}: " if facts.is_partitioned else ""
        if row["rank"] == 0:
            said = sureness(float(row["likely_right"]))
            points += [] if said is None else [_sentence(f"{of}{said}")]
        else:
            take = "" if facts.is_partitioned else f"; taken by --alternative {row['rank']}"
            points.append(_sentence(f"{of}or else {offer(row)}{take}"))
    return points


def _partition_curves(facts: Facts, search: pd.DataFrame, left_out: list[str]) -> list[Figure]:
    figures: list[Figure] = []
    said: list[str] = []
    for place, (name, rows) in enumerate(search.groupby("partition")):
        missing: list[str] = []
        result = _curves(rows, missing, f"{facts.partition_words} {name}", f"-{place}")
        figures += result
        if missing and not said:
            said = missing
    if not figures:
        left_out += said
    return figures[:12]


def _curves(search: pd.DataFrame, left_out: list[str], of: str, key: str = "") -> list[Figure]:
    figures = []
    suffix = f": {of}" if of else ""
    for measure, curve_key, title, note in CURVES:
        curves = _by_k(search, measure)
        if all(curve.xs.size < 2 for curve in curves):
            words = "elbow" if measure is INERTIA else measure.title
            left_out.append(f"No {words} curve: no algorithm was tried at more than one number.")
            continue
        words = f"{measure.title.capitalize()} by number of segments{suffix}"
        alternative = f"{words}. {_curve_words(curves)}"
        figures.append(
            Figure(
                f"{curve_key}{key}",
                f"{title}{suffix}",
                draw_curves(curves, "number of segments", measure.title, alternative, True),
                alternative,
                note=note,
            )
        )
    return figures


def _by_k(search: pd.DataFrame, measure: Measure) -> list[Curve]:
    known = search[search[measure.name].notna()]
    known = known.assign(fitted_with=known["parameters"].map(_without_k))
    curves = []
    for keys, rows in known.groupby(["algorithm", "encoding", "fitted_with"], sort=True):
        # Of several fits with one k the best stands for it.
        is_lower_better = measure.better == "lower"
        best = rows.sort_values(measure.name, ascending=is_lower_better).drop_duplicates("k")
        chosen = rows[rows["is_chosen"]]
        best = best[~best["k"].isin(chosen["k"])] if len(chosen) else best
        ordered = _concat(best, chosen).sort_values("k")
        places = np.flatnonzero(ordered["is_chosen"].to_numpy(dtype=bool))
        curves.append(
            Curve(
                _algorithm_words(str(keys[0]), str(keys[1]), known) + _variant(str(keys[2]), known),
                ordered["k"].to_numpy(dtype=np.float64),
                ordered[measure.name].to_numpy(dtype=np.float64),
                int(places[0]) if places.size else None,
            )
        )
    several = [curve for curve in curves if curve.xs.size > 1]
    return several or curves


def _without_k(parameters: str) -> str:
    content = json.loads(parameters)
    return ", ".join(f"{name} {content[name]}" for name in sorted(content) if name not in DEFAULTS)


def _variant(parameters: str, search: pd.DataFrame) -> str:
    several = search.groupby(["algorithm", "encoding"])["fitted_with"].nunique().max() > 1
    return f" ({parameters})" if several and parameters else ""


def _concat(first: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([first, other]) if len(other) else first


def _algorithm_words(algorithm: str, encoding: str, search: pd.DataFrame) -> str:
    title = algorithm_title(algorithm)
    if search["encoding"].nunique() < 2:
        return title
    return f"{title} on {'the features' if encoding == 'none' else encoding.replace('_', ' ')}"


def algorithm_title(name: str) -> str:
    """Return an algorithm's name in words; its own name where it is not known any more."""
    return ALGORITHMS[name].title if name in ALGORITHMS else name


def _curve_words(curves: list[Curve]) -> str:
    sentences = []
    for curve in curves:
        ends = f"from {plain(float(curve.ys[0]))} at {curve.xs[0]:g}"
        ends += f" to {plain(float(curve.ys[-1]))} at {curve.xs[-1]:g}"
        won = "" if curve.chosen is None else f", chosen at {curve.xs[curve.chosen]:g}"
        sentences.append(f"{curve.name} {ends}{won}")
    return "; ".join(sentences) + "."


def _silhouette_figures(facts: Facts, left_out: list[str]) -> list[Figure]:
    rows = facts.gold[facts.gold["_silhouette"].notna()]
    bands = [
        Band(
            facts.title(int(item)),
            facts.colours[int(item)],
            rows.loc[rows["_segment_id"] == item, "_silhouette"].to_numpy(dtype=np.float64),
        )
        for item in facts.segments["segment_id"]
        if int(item) not in facts.withheld
    ]
    bands = [band for band in bands if band.values.size]
    if not bands:
        left_out.append(
            "No silhouette plot: silhouettes of single rows are not measured past 60,000 rows, nor"
            " for one segment."
        )
        return []
    mean = mean_silhouette(facts)
    text = "; ".join(f"{band.title} {float(band.values.mean()):.2f}" for band in bands)
    alternative = f"Silhouette of every row by segment, mean {mean:.2f}. {text}."
    note = (
        f"Each band is a segment, as thick as it is large. What reaches left of 0 stands nearer"
        f" to another segment. The line is the mean, {mean:.2f}."
    )
    if len(bands) > MOST_BANDS:
        left_out.append(f"Silhouettes of {len(bands) - MOST_BANDS} smaller segments.")
    return [
        Figure(
            "silhouette",
            "How well each row fits",
            draw_silhouettes(bands[:MOST_BANDS], mean, alternative),
            alternative,
            note=note,
        )
    ]


def _tree_figures(facts: Facts, left_out: list[str]) -> list[Figure]:
    if facts.saved is None:
        left_out.append(f"No tree of the segments: {facts.saved_problem}")
        return []
    figures = []
    for place, part in enumerate(facts.saved.partitions.values()):
        ids = [int(i) for i in part.segment_ids if int(i) not in facts.withheld]
        if len(ids) >= 3:
            figures.append(_tree_figure(facts, part, ids, place))
    if not figures:
        left_out.append("No tree of the segments: it takes three of them.")
    return figures[:12]


def _tree_figure(facts: Facts, part: SavedPartition, ids: list[int], place: int) -> Figure:
    tree = segment_tree(part, ids)
    titles = [facts.title(segment_id) for segment_id in ids]
    first, second, distance, _ = tree[0]
    alternative = (
        f"Tree of {len(ids)} segments by Ward's linkage. Nearest to each other are"
        f" {titles[int(first)]} and {titles[int(second)]} (distance {distance:.2f})."
    )
    drawing = draw_tree(
        tree, titles, [facts.colours[segment_id] for segment_id in ids], alternative
    )
    name = "Which segments are near" + (
        f": {facts.partition_words} {part.name}" if facts.is_partitioned else ""
    )
    return Figure(
        "tree" if place == 0 else f"tree-{place}",
        name,
        drawing,
        alternative,
        note="Read from the right: segments that join early are alike. With one segment fewer,"
        " the first two to join would be one (Ward's linkage of the segments' middles).",
    )


def segment_tree(part: SavedPartition, ids: list[int]) -> FloatArray:
    """Return Ward's linkage of whole segments, shape (segments - 1, 4), as SciPy has it.

    The distance of two segments is what joining them adds to the inertia, as a length:
    sqrt(2 a b / (a + b)) times the distance of their middles, a and b being their sizes.

    Parameters
    ----------
    part
        Its centers and sizes.
    ids
        The segments wanted, at least two.

    References
    ----------
    Murtagh, F., Legendre, P. (2014). Ward's hierarchical agglomerative clustering method.
    Journal of Classification 31, 274-295.
    """
    place = {int(segment_id): position for position, segment_id in enumerate(part.segment_ids)}
    centers = {i: part.centers[place[segment_id]].copy() for i, segment_id in enumerate(ids)}
    sizes = {i: float(part.reference.sizes[place[segment_id]]) for i, segment_id in enumerate(ids)}
    merges = []
    for step in range(len(ids) - 1):
        pairs = [(a, b) for a in centers for b in centers if a < b]
        lengths = [_ward(centers[a], centers[b], sizes[a], sizes[b]) for a, b in pairs]
        a, b = pairs[int(np.argmin(lengths))]
        new = len(ids) + step
        sizes[new] = sizes[a] + sizes[b]
        centers[new] = (centers[a] * sizes[a] + centers[b] * sizes[b]) / sizes[new]
        merges.append([float(a), float(b), min(lengths), sizes[new]])
        for old in (a, b):
            del centers[old], sizes[old]
    return np.array(merges)


def _ward(first: FloatArray, other: FloatArray, size: float, other_size: float) -> float:
    apart = float(np.linalg.norm(first - other))
    return float(np.sqrt(2.0 * size * other_size / (size + other_size))) * apart


def _candidates_title(count: int) -> str:
    if count <= MOST_CANDIDATES:
        return "The candidates"
    return f"The best {MOST_CANDIDATES} of {count} candidates, by silhouette"


def _shown(facts: Facts, search: pd.DataFrame) -> list[tuple[str, Measure, Callable[[float], str]]]:
    shown = [(measure.title, measure, written) for measure, written in SHOWN.items()]
    if is_given(search, NOISE_SHARE.name) and search[NOISE_SHARE.name].max() > 0:
        shown.append((NOISE_SHARE.title, NOISE_SHARE, share))
    # By the encoder's own coordinates where the study chose by them, else by the candidate's own
    # distance where that is not the Euclidean one.
    by_encoder = facts.study.choose.by == SILHOUETTE.name
    own = SILHOUETTE if by_encoder else METRIC_SILHOUETTE
    if not _is_another(search, own):
        return shown
    _, common, written = shown[0]
    title = "silhouette in all features" if by_encoder else common.title
    return [(own.title, own, written), (title, common, written), *shown[1:]]


def _is_another(search: pd.DataFrame, own: Measure) -> bool:
    if own.name not in search:
        return False
    differs = (search[own.name] - search[COMMON_SILHOUETTE.name]).abs() > SAME_SILHOUETTE
    return bool((differs & search[own.name].notna()).any())


def _candidates(facts: Facts, search: pd.DataFrame) -> Table:
    ordered = search.sort_values(["is_chosen", COMMON_SILHOUETTE.name], ascending=[False, False])
    head = [
        *([facts.partition_words] if facts.is_partitioned else []),
        "candidate",
        "segments",
        *(title for title, _, _ in _shown(facts, search)),
        "",
    ]
    rows = [_candidate(facts, row, search) for row in records(ordered.head(MOST_CANDIDATES))]
    texts = {0, len(head) - 1} | ({1} if facts.is_partitioned else set())
    return Table(head, rows, frozenset(texts))


def _candidate(facts: Facts, row: dict[str, Any], search: pd.DataFrame) -> list[str]:
    return [
        *([str(row["partition"])] if facts.is_partitioned else []),
        _algorithm_words(str(row["algorithm"]), str(row["encoding"]), search),
        str(row["k"]),
        *(written(number(row, measure.name)) for _, measure, written in _shown(facts, search)),
        "chosen" if row["is_chosen"] else "",
    ]


def _sentence(text: str) -> str:
    text = (text or "").strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".") if text else ""
