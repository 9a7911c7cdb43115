"""Segments on cards: size, what stands out, the rule, what to do, how far to trust it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.database import examples
from models_py.describe.traits import Trait as Found
from models_py.describe.traits import UNKNOWN_WORDS, find_traits
from models_py.base.plurals import plural
from models_py.report.content import Advice, Card, Code, Section, Trait
from models_py.report.facts import Facts, is_given, number, records
from models_py.base.numbers import count, plain, share, signed, unit_once
from models_py.base.patterns import matching

if TYPE_CHECKING:
    import pandas as pd

MOST_TRAITS = 3
MOST_MEASURES = 4
MOST_CATEGORIES = 3
CLEAR_LIFT = 1.25
SURE = 0.05
LONGEST = 2.0
"""Size of an effect whose bar is full."""


IN_DEVIATIONS = re.compile(r", [+\N{MINUS SIGN}-]?[\d.]+ standard deviations")
"""What an advice's reason adds for those who check it: both values stand before it."""

SURENESS = {
    "confidence": "confidence, of 1",
    "silhouette": "silhouette, \N{MINUS SIGN}1 to 1",
}
"""Columns of the assignments, as a card calls their mean."""


def segment_cards(facts: Facts) -> list[Card]:
    """Return one card a segment, by partition and size."""
    return [_card(facts, row) for row in records(facts.segments)]


def cards_section(facts: Facts, cards: list[Card]) -> Section:
    """Return the section that holds the cards."""
    lead = []
    if len(cards) > 1:
        lead.append(
            "Each card says what its segment has more or less of than everybody, in the units of"
            " the data. The bars show how far it stands out; a bar that is short is a weak"
            " tendency."
        )
    if facts.is_partitioned:
        lead.append(
            f"Every {facts.partition_words} was searched for itself: its segments are compared"
            f" with the others of the same {facts.partition_words}."
        )
    left_out = []
    if facts.table("segment_actions").empty:
        left_out.append("No advice: the run has no rows in results.segment_actions.")
    if not is_given(facts.segments, "rule_sql"):
        left_out.append("No rules: the run did not look for any (results.segments.rule_sql).")
    if facts.withheld:
        left_out.append(_withheld_words(facts))
    first = int(facts.segments.iloc[0]["segment_id"])
    statement = examples.members(facts.run.study, facts.run.entity_column, first)
    return Section(
        key="segments",
        title="The segments",
        lead=lead,
        cards=cards,
        code=[Code("Everybody of a segment", statement)],
        left_out=left_out,
    )


def _withheld_words(facts: Facts) -> str:
    text = (
        f"{plural(len(facts.small), 'small segment')} show{'s' if len(facts.small) == 1 else ''}"
        f" the size only, so that no single one of the {facts.things} can be made out"
    )
    more = len(facts.withheld) - len(facts.small)
    return text + (f"; {plural(more, 'other')} too, from which it would follow." if more else ".")


def spend_column(facts: Facts) -> str | None:
    """Return the column that says what a row is worth, where the study has one."""
    features = facts.tables["segment_features"]
    # One segment has all of it, which says nothing.
    if features.empty or len(facts.segments) == 1:
        return None
    if facts.study.describe.worth in set(features["feature"]):
        return facts.study.describe.worth
    named = features.loc[features["feature"].str.endswith("_amount"), "feature"]
    preferred = [name for name in ("spend_amount", "revenue_amount") if name in set(named)]
    return preferred[0] if preferred else (str(named.iloc[0]) if len(named) else None)


def total_shares(facts: Facts, column: str) -> dict[int, float]:
    """Return each segment's part of a column's sum over all rows; none of withheld ones."""
    rows = facts.tables["segment_features"]
    rows = rows[rows["feature"] == column].set_index("segment_id")
    if is_given(rows, "total_share"):
        known = rows["total_share"].dropna()
        return {int(str(key)): float(value) for key, value in known.items()}
    if facts.withheld:
        return {}
    sizes = facts.segments.set_index("segment_id")["size"]
    counts = rows["known_count"] if is_given(rows, "known_count") else sizes.reindex(rows.index)
    sums = (rows["mean"] * counts).clip(lower=0)
    total = float(sums.sum())
    return {int(str(key)): float(value) / total for key, value in sums.items()} if total else {}


def _card(facts: Facts, row: dict[str, Any]) -> Card:
    segment_id = int(row["segment_id"])
    kind, badge, detail = _badge(row)
    of_all = "" if not facts.is_partitioned else f" of all {facts.things}"
    card = Card(
        segment_id=segment_id,
        name=facts.names[segment_id],
        partition=str(row["partition"]) if facts.is_partitioned else "",
        colour=facts.colours[segment_id],
        size=f"{count(row['size'])} {facts.things}",
        share=share(row["share"]) + of_all,
        badge=badge,
        badge_kind=kind,
        badge_detail=detail,
        withheld=_why_withheld(facts, segment_id),
        members=int(row["size"]),
    )
    if card.withheld:
        return card
    profile = _profile(facts, segment_id)
    result = _found_traits(facts, segment_id, profile)
    of_feature = {str(row["feature"]): row for row in records(profile)}
    return replace(
        card,
        traits=[_trait(facts, trait, of_feature.get(trait.feature, {})) for trait in result],
        facts=_measures(facts, segment_id, of_feature),
        sureness=_sureness(facts, segment_id),
        categories=_categories(facts, segment_id, {trait.feature for trait in result}),
        rule=str(row.get("rule_text") or ""),
        rule_detail=_rule_detail(facts, row),
        rule_sql=str(row.get("rule_sql") or ""),
        advice=_advice(facts, segment_id),
    )


def _why_withheld(facts: Facts, segment_id: int) -> str:
    if segment_id in facts.small:
        return "Too few to tell of them without telling of single ones."
    if segment_id in facts.withheld:
        return "Not described: the figures of a smaller segment would follow from these."
    return ""


def _badge(row: dict[str, Any]) -> tuple[str, str, str]:
    if row["stability"] is None:
        return "unknown", "stability not measured", "the study does no refits"
    words = (
        f"refits on random parts of the data find it again with a mean overlap (Jaccard) of"
        f" {plain(row['stability'])}"
    )
    if row["is_stable"]:
        return "stable", f"stable {row['stability']:.2f}", words
    return "unstable", f"unstable {row['stability']:.2f}", f"{words}: do not act on it alone"


def _profile(facts: Facts, segment_id: int) -> pd.DataFrame:
    rows = facts.tables["segment_features"]
    return rows[rows["segment_id"] == segment_id]


def _found_traits(facts: Facts, segment_id: int, profile: pd.DataFrame) -> list[Found]:
    # Of each side the clearest, as the description has them.
    model = profile[profile["is_model_feature"].astype(bool)]
    kept = {feature.partition("=")[0] for feature in model["feature"].astype(str)}
    words = facts.table("segment_categories")
    words = words[(words["segment_id"] == segment_id) & words["feature"].isin(kept)]
    traits = find_traits(model, words, facts.speech.kinds, facts.speech.vocabulary)
    high = [trait for trait in traits if trait.is_high][:MOST_TRAITS]
    low = [trait for trait in traits if not trait.is_high][:MOST_TRAITS]
    return [*high, *low]


def _trait(facts: Facts, candidates: Found, row: dict[str, Any]) -> Trait:
    effect = number(row, "effect_size")
    if np.isnan(effect):
        effect, detail = candidates.z, f"{signed(candidates.z)} standard deviations from the mean"
    else:
        low, high = number(row, "effect_low"), number(row, "effect_high")
        detail = f"effect {signed(effect)} (95% interval {signed(low)} to {signed(high)})"
        if number(row, "p_adjusted") > SURE:
            detail += ", may be chance"
    return Trait(
        name=candidates.part.words,
        words=candidates.title,
        text=candidates.text,
        population=candidates.population_text,
        is_high=candidates.is_high,
        width=float(min(abs(effect) / LONGEST, 1.0)),
        detail=detail,
        spread=_spread(facts, candidates.feature, row),
    )


def _spread(facts: Facts, feature: str, row: dict[str, Any]) -> str:
    low, high = number(row, "lower_quartile"), number(row, "upper_quartile")
    if np.isnan(low) or np.isnan(high) or facts.speech.kinds.get(feature) != "number":
        return ""
    upper = facts.value(feature, high)
    if upper == facts.value(feature, low):
        return f"half of them {upper}"
    return f"half of them {unit_once(upper, facts.value(feature, low))} to {upper}"


def _sureness(facts: Facts, segment_id: int) -> list[tuple[str, str]]:
    """Return how clearly the members belong to the segment, beside all rows."""
    if len(facts.segments) == 1:
        return []
    rows = facts.tables["assignments"]
    own = rows[rows["segment_id"] == segment_id]
    return [
        (title, f"{plain(float(own[name].mean()))} (all {plain(float(rows[name].mean()))})")
        for name, title in SURENESS.items()
        if is_given(own, name)
    ]


def _measures(
    facts: Facts, segment_id: int, of_feature: dict[str, dict[str, Any]]
) -> list[tuple[str, str]]:
    """Return the study's measures in its order, its part of the spend first."""
    measures = []
    column = spend_column(facts)
    if column is not None and not facts.is_partitioned:
        part = total_shares(facts, column).get(segment_id)
        if part is not None:
            measures.append((f"share of all {facts.called(column)}", share(part)))
    means = {name: row["mean"] for name, row in of_feature.items()}
    wanted = [
        name
        for pattern in facts.study.describe.measures
        for name in matching(pattern, means)
        if means[name] is not None
    ]
    vocabulary, kinds = facts.speech.vocabulary, facts.speech.kinds
    measures += [
        (
            vocabulary.yes_or_no(name, True).words if is_part else vocabulary.called(name),
            vocabulary.value(name, means[name], is_part),
        )
        for name in dict.fromkeys(wanted)
        for is_part in [kinds.get(name) == "boolean"]
    ]
    return measures[: MOST_MEASURES + 1]


def _categories(facts: Facts, segment_id: int, said: set[str]) -> list[str]:
    rows = facts.table("segment_categories")
    if rows.empty:
        return []
    own = rows[(rows["segment_id"] == segment_id) & (rows["lift"] >= CLEAR_LIFT)]
    is_answer = ~own["category"].astype(str).str.lower().isin(UNKNOWN_WORDS)
    own = own[(own["p_adjusted"] <= SURE) & is_answer]
    own = own[~(own["feature"] + "=" + own["category"]).isin(said)]
    more = (own["share"] - own["population_share"]).sort_values(ascending=False, kind="stable")
    own = own.loc[more.index].head(MOST_CATEGORIES)
    called = facts.speech.vocabulary.called
    return [
        f"{called(str(row['feature']) + '=' + str(row['category']))}: {share(row['share'])}"
        f" (all {share(row['population_share'])})"
        for row in records(own)
    ]


def _rule_detail(facts: Facts, row: dict[str, Any]) -> str:
    precision, recall = number(row, "rule_precision"), number(row, "rule_recall")
    if np.isnan(precision) or np.isnan(recall):
        return ""
    lift = number(row, "rule_lift")
    text = (
        f"{share(precision)} of the {facts.things} that fit the rule are in this segment; it finds"
        f" {share(recall)} of the segment"
    )
    return text + ("" if np.isnan(lift) else f" ({lift:.1f} times better than chance)") + "."


def _advice(facts: Facts, segment_id: int) -> list[Advice]:
    rows = facts.table("segment_actions")
    own = rows[rows["segment_id"] == segment_id].sort_values("priority")
    return [
        Advice(
            str(row["action"]).replace("_", " "),
            str(row["advice"]),
            IN_DEVIATIONS.sub("", str(row["because"])),
        )
        for row in records(own)
    ]
