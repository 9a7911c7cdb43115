"""A first study of customers made from a purchase log: what tells ways of buying apart.

The table of a log has some sixty columns, and most of them say again what a few say. The study
takes one view of each kind: how often, how much at once, at what price, what, when, where, and
what comes back. When a customer came and went (tenure, recency, windows of the last days) is left
out of the search: two customers who buy alike are one kind though one of them began last year.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from models_py.studies.drafting import Draft

MOST_SEGMENTS = 12
ROWS_A_SEGMENT = 40
LEAST_ORDERS = 4


@dataclass(frozen=True)
class View:
    """One way to look at a customer's buying.

    Attributes
    ----------
    title
        What it is about.
    patterns
        Columns of gold that show it.
    composition
        Name of the whole that the columns are shares of; None where they are numbers.
    doubling
        Whether twice as much of a number is one step; else one more is.
    """

    title: str
    patterns: tuple[str, ...]
    composition: str | None = None
    doubling: bool = True


VIEWS = (
    View("how often, from the first order to the last", ("active_orders_per_week",)),
    View("how much at once", ("order_lines_mean",)),
    View("at what price, beside others in the same categories", ("price_level",)),
    View("what: share of lines", ("category_*_share",), "categories"),
    View("when: weekend or workday", ("weekend_share", "workday_share"), "week"),
    View("when: hour of the day", ("order_hour_mean",), doubling=False),
    View("when: quarters of the year", ("quarter_*_share",), "quarters"),
    View("where: share of orders", ("channel_*_share",), "channels"),
    View("what comes back", ("expected_return_share",), "returns"),
)

WHILE_PATTERNS = ("recent_*", "recency_days", "tenure_*", "active_month_share", "orders_per_week")
CAME_AND_WENT = "when the customer came and went, not how they buy"
SAID_AGAIN = "near to what the features say: more columns of a kind are not more votes"

MEASURES = (
    "order_count",
    "spend_amount",
    "order_spend_mean",
    "recency_days",
    "tenure_days",
    "recent_90_spend_share",
    "product_count",
    "category_shannon",
    "return_amount_share",
)


def draft_log_features(draft: Draft) -> Draft:
    """Return a draft whose features are one view of each kind, every other column with a reason.

    Parameters
    ----------
    draft
        Of a table that dbt made from a log, with the roles guessed.
    """
    guesses = []
    for guess in draft.guesses:
        view = _view_of(guess.name)
        if guess.role == "left out":
            guesses.append(guess)
        elif view is not None:
            guesses.append(replace(guess, reason=view.title))
        else:
            guesses.append(replace(guess, role="left out", reason=_why_not(guess.name)))
    return replace(draft, guesses=guesses)


def _view_of(name: str) -> View | None:
    return next((v for v in VIEWS if any(fnmatchcase(name, p) for p in v.patterns)), None)


def _why_not(name: str) -> str:
    came_and_went = any(fnmatchcase(name, pattern) for pattern in WHILE_PATTERNS)
    return CAME_AND_WENT if came_and_went else SAID_AGAIN


def draft_log_study(draft: Draft) -> str:
    """Return the text of a study file, with a comment on every column.

    Parameters
    ----------
    draft
        As :func:`draft_log_features` made it.
    """
    used = [guess for guess in draft.guesses if guess.role != "left out"]
    left = [guess for guess in draft.guesses if guess.role == "left out"]
    names = [guess.name for guess in used]
    known = {guess.name for guess in draft.guesses}
    measures = [name for name in MEASURES if name in known]
    parts = [
        f"# Study of {draft.table}: {draft.rows:,} rows {draft.source}.",
        "# It looks at ways of buying: read what it takes, change it, then run",
        f"#   {draft.run_with}",
        f"title = {_toml(draft.title)}",
        f"table = {_toml(draft.table)}",
        f"entity = {_toml(draft.entity)}",
        *_fitted(known),
        "",
        "[features]",
        "include = [",
        *[f"    {_toml(guess.name)},  # {guess.reason}" for guess in used],
        "]",
        "# Left out; move a line into include to take the column in:",
        *[f"#   {_toml(guess.name)}: {guess.reason}" for guess in left],
        *_logarithms(names),
        "winsorise = 0.005",
        "",
        *_compositions(names),
        "[selection]",
        "# Of two numbers that say the same, one goes.",
        "max_correlation = 0.9",
        "max_vif = 10.0",
        "",
        "[outliers]",
        "# Unusual rows stay out of the search; they are assigned and flagged all the same.",
        'method = "isolation_forest"',
        "contamination = 0.02",
        "",
        "[[encoding]]",
        'kind = "pca"',
        "parameters = { components = 0.99 }",
        "",
        "# Kinds of customers that vary alike inside: columns in which all vary count little.",
        "[[algorithms]]",
        'name = "pooled_mixture"',
        f"k = [2, {max(2, min(MOST_SEGMENTS, draft.rows // ROWS_A_SEGMENT))}]",
        "",
        "[choose]",
        "# As many kinds as make the rows likeliest while each row is clearly of one of them.",
        'by = "icl"',
        "",
        "[describe]",
        f"measures = [{', '.join(_toml(name) for name in measures)}]",
    ]
    return "\n".join(parts) + "\n"


def _fitted(known: set[str]) -> list[str]:
    if "order_count" not in known:
        return []
    return [
        "# Who came fewer times shows too little to shape a segment; all are assigned to one.",
        f"fit_at_least = {{ order_count = {LEAST_ORDERS} }}",
    ]


def _logarithms(names: Sequence[str]) -> list[str]:
    views = [(name, _view_of(name)) for name in names]
    numbers = [name for name, view in views if view and view.doubling and not view.composition]
    if not numbers:
        return []
    return ["# Twice as much is one step, wherever it begins.", f"log1p = {_toml_list(numbers)}"]


def _compositions(names: Sequence[str]) -> list[str]:
    lines = [
        f"{view.composition} = {_toml_list(patterns)}"
        for view in VIEWS
        if view.composition and (patterns := _patterns_with_columns(view, names))
    ]
    if not lines:
        return []
    return [
        "# Shares of one whole count together as one number does: twelve shares are not twelve",
        "# votes.",
        "[features.compositions]",
        *lines,
        "",
    ]


def _patterns_with_columns(view: View, names: Sequence[str]) -> list[str]:
    return [p for p in view.patterns if any(fnmatchcase(name, p) for name in names)]


def _toml_list(values: Sequence[str]) -> str:
    return f"[{', '.join(_toml(value) for value in values)}]"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
