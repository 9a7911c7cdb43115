"""How it was done, what it cannot tell, and where to ask further."""

from __future__ import annotations

import json

from models_py.clustering.distances import EUCLIDEAN
from models_py.database import examples
from models_py.report.content import Code, Section, Table
from models_py.report.facts import Facts, records
from models_py.base.numbers import listed, moment, share
from models_py.base.plurals import plural
from models_py.report.sections.choosing import algorithm_title

MOST_NAMED = 6
"""Columns that a sentence names; more are counted."""


def method_section(facts: Facts) -> Section:
    """Return the method and its limits in plain words."""
    study = facts.study
    chosen = facts.tables["model_search"]
    chosen = chosen[chosen["is_chosen"]]
    winners = sorted(
        {
            f"{algorithm_title(str(row['algorithm']))} with {row['k']} segments"
            for row in records(chosen)
        }
    )
    points = [
        f"Columns of {study.table} became features: {_gaps(facts)}{_scale(facts)}.",
        *_reshaped(facts),
        _selected(facts),
        f"Unusual {facts.things} were found by {study.outliers.method.replace('_', ' ')} and kept"
        " out of the search."
        if study.outliers.method != "none"
        else f"No unusual {facts.things} were looked for.",
        f"{_encoded(facts)} were looked for by {_algorithms(facts)}{_metrics(facts)}.",
        f"Won: {'; '.join(winners) or 'one segment'}.",
        f"Refits on {study.stability.refits} random parts of the rows, each with"
        f" {share(study.stability.share)} of them, tell how far each segment comes back; a mean"
        " Jaccard overlap under 0.6 is called unstable (Hennig 2007)."
        if study.stability.refits
        else "No refits were done, so that nothing is known of the segments' stability.",
        "Each segment keeps its number from run to run by the members it shares with the run"
        " before.",
    ]
    limits = [
        "Segments describe; they do not say why somebody buys, and nothing here proves that an"
        " action works. Try it on a part and compare.",
        "Silhouettes near 0 mean soft borders: another sample may put some of those near a border"
        " on its other side.",
        "That a segment comes back in refits shows that the split repeats, not that it is right: a"
        " coarse split nearly always repeats.",
        "Means hide spread: the cards and the boxes have the quartiles.",
        "Maps, beeswarms and t-SNE show samples; the number drawn stands under each.",
        f"The data are those of {facts.run.source_table} as of the run; later behaviour may"
        " differ. python scripts/check_drift.py says when to refit.",
    ]
    return Section(
        "method",
        "Method and limits",
        points=[*points, *limits],
        tables=[("This run", _record(facts))],
    )


def _gaps(facts: Facts) -> str:
    features = facts.study.features
    if features.incomplete == "drop_after_scaling":
        return f"{facts.things} with a gap were left out of the search, after all values were"
    how = "by zero" if features.impute == "zero" else f"by the {features.impute}"
    return f"gaps were filled {how}"


def _scale(facts: Facts) -> str:
    features = facts.study.features
    if features.scale == "none":
        return ", and they kept their own units"
    link = "" if features.incomplete == "drop_after_scaling" else ", then they were"
    return f"{link} brought to one scale ({features.scale.replace('_', ' ')})"


def _reshaped(facts: Facts) -> list[str]:
    if facts.saved is None:
        return []
    recipes = [r for part in facts.saved.partitions.values() for r in part.matrix.recipes_]
    ways = {
        "as logarithms": [r.column for r in recipes if r.log1p],
        "as square roots": [r.column for r in recipes if r.root],
        "by a power that makes them even (Yeo-Johnson)": [
            r.column for r in recipes if r.power is not None
        ],
    }
    said = []
    for way, columns in ways.items():
        names = [facts.called(column) for column in dict.fromkeys(columns)]
        if names:
            many = len(names) > MOST_NAMED
            said.append(f"{plural(len(names), 'column') if many else listed(names)} {way}")
    if any(r.low is not None or r.high is not None for r in recipes):
        said.append(f"the outermost {share(facts.study.features.winsorise)} of each end cut back")
    return [f"Some were reshaped on the way: {'; '.join(said)}."] if said else []


def _selected(facts: Facts) -> str:
    dropped = facts.tables["feature_selection"]
    steps = [str(step) for step in dropped.loc[dropped["dropped_at"].notna(), "dropped_at"]]
    if not steps:
        return "No feature was left out."
    words = ", ".join(f"{steps.count(step)} at {step}" for step in dict.fromkeys(steps))
    return f"Features were left out ({words}); the section on features says which and why."


def _encoded(facts: Facts) -> str:
    kinds = [e.kind.replace("_", " ") for e in facts.study.encoding if e.kind != "none"]
    if not kinds:
        return "The features were clustered as they are; groups"
    also = " and clustered as they are, too" if len(kinds) < len(facts.study.encoding) else ""
    return f"The features were brought into other coordinates ({', '.join(kinds)}){also}; groups"


def _metrics(facts: Facts) -> str:
    asked = [
        str(a.parameters["metric"]) for a in facts.study.algorithms if "metric" in a.parameters
    ]
    others = [metric for metric in dict.fromkeys(asked) if metric != EUCLIDEAN]
    return f", by {' and '.join(others)} distance where it says so" if others else ""


def questions_section(facts: Facts) -> Section:
    """Return commands and SQL to copy."""
    run = facts.run
    asked = examples.questions(run.study, run.entity_column, run.source_table, run.run_id)
    code = [
        *(Code(title, statement) for title, statement in asked.items()),
        Code("Ready questions", "python scripts/run_sql.py --list"),
        Code("New or changed ones", f"python scripts/score_customers.py --study {run.study}"),
        Code("Still true?", f"python scripts/check_drift.py --study {run.study}"),
        Code("This page again", f"python scripts/write_report.py {run.run_id}"),
    ]
    lead = ["Everything on this page is also a table of the warehouse. Copy and ask."]
    return Section("ask", "Ask further", lead, code=code)


def _algorithms(facts: Facts) -> str:
    tried = dict.fromkeys(facts.tables["model_search"]["algorithm"].astype(str))
    return ", ".join(algorithm_title(algorithm_name) for algorithm_name in tried)


def _record(facts: Facts) -> Table:
    run = facts.run
    versions = json.loads(run.versions)
    ended = run.ended_at or run.started_at
    rows = [
        ["run", run.run_id],
        ["study", f"{run.study}: {facts.study.description or facts.study.title}"],
        ["started", moment(run.started_at)],
        ["took", f"{(ended - run.started_at).total_seconds():.0f} s"],
        ["rows", f"{run.rows_read:,} of {run.source_table}"],
        ["seed", str(run.seed)],
        ["data fingerprint", run.data_fingerprint],
        ["run before", run.previous_run_id or "none"],
        ["versions", ", ".join(f"{name} {version}" for name, version in versions.items())],
    ]
    return Table(["", ""], rows, frozenset({0, 1}))
