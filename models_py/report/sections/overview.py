"""The segments side by side on the first screen, and what follows first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models_py.base.numbers import share, unit_once
from models_py.describe.advice import NOT_ADVISED
from models_py.report.content import Advice, Card, ComparedSegment, Comparison
from models_py.report.facts import NO, YES, Facts, records
from models_py.report.sections.cards import spend_column, total_shares

if TYPE_CHECKING:
    import pandas as pd

MOST_COMPARED = 12
MOST_TRAITS = 3
CLEARLY = 0.05
"""Difference of a share from everybody's that is worth a word."""

KEPT_AS_BEFORE = "Keep the standard programme and test one change at a time"
"""What runs of earlier versions recorded where no figure stood out."""

UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
NO_BREAK = "\N{NO-BREAK SPACE}"


def compare_segments(facts: Facts, cards: list[Card]) -> Comparison:
    """Return the table of the first screen: a row a segment, columns only where they tell.

    Parameters
    ----------
    facts
        The run.
    cards
        Its segments.
    """
    column = None if facts.is_partitioned else spend_column(facts)
    worth = total_shares(facts, column) if column is not None else {}
    head, outcomes = _outcomes(facts)
    rows = [
        ComparedSegment(
            card=card,
            worth=""
            if card.withheld
            else share(worth[card.segment_id])
            if card.segment_id in worth
            else "",
            traits=_traits(card),
            outcome=outcomes.get(card.segment_id, ""),
            todo=card.advice[0].text if card.advice and not is_nothing(card.advice[0]) else "",
        )
        for card in _largest(cards)
    ]
    return Comparison(
        rows=rows,
        worth_title=f"of all {facts.called(column)}" if column is not None and worth else "",
        outcome_title=head if any(row.outcome for row in rows) else "",
        has_todo=any(row.todo for row in rows),
        more=len(cards) - len(rows),
    )


def is_nothing(advice: Advice) -> bool:
    """Return whether an advice is to go on as before."""
    return advice.text in {NOT_ADVISED[1], KEPT_AS_BEFORE}


def strongest_action(cards: list[Card]) -> tuple[Card, Advice] | None:
    """Return the first advice of the first segment that has more to do than to go on.

    Parameters
    ----------
    cards
        The segments, those worth most first.
    """
    acting = [(card, advice) for card in cards for advice in card.advice[:1]]
    return next(((card, advice) for card, advice in acting if not is_nothing(advice)), None)


def outcome_sentence(facts: Facts) -> str:
    """Return where the study's label differs most from everybody's; empty where it does not."""
    labels = _with_population(facts)
    if labels is None or facts.is_partitioned:
        return ""
    if is_answer(labels):
        labels = labels[labels["label"].str.lower() == YES]
    apart = (labels["share"] - labels["everybody"]).abs()
    if labels.empty or float(apart.max()) < CLEARLY:
        return ""
    row = records(labels.loc[[apart.idxmax()]])[0]
    segment_id = int(row["segment_id"])
    said = _label_words(facts, str(row["label"]))
    name = facts.names[segment_id]
    return (
        f"\N{LEFT DOUBLE QUOTATION MARK}{name[:1].upper()}{name[1:]}"
        f"\N{RIGHT DOUBLE QUOTATION MARK} (segment {segment_id}) stands out:"
        f" {share(row['share'])} {said}, against {share(row['everybody'])} of all {facts.things}."
    )


def is_answer(labels: pd.DataFrame) -> bool:
    """Return whether a label is true or false."""
    return set(labels["label"].str.lower()) <= {YES, NO}


def _label_words(facts: Facts, label: str) -> str:
    column = facts.study.label or ""
    said = facts.word(column, label)
    return said if label.lower() in (YES, NO) else f"with {facts.called(column)} {said}"


def _largest(cards: list[Card]) -> list[Card]:
    if len(cards) <= MOST_COMPARED:
        return cards
    kept = sorted(cards, key=lambda card: -card.members)[:MOST_COMPARED]
    return [card for card in cards if card in kept]


def _traits(card: Card) -> list[str]:
    strongest = sorted(card.traits, key=lambda trait: -trait.width)[:MOST_TRAITS]
    return [
        f"{UP if trait.is_high else DOWN} {trait.words} {trait.text}"
        f" {f'(all {unit_once(trait.text, trait.population)})'.replace(' ', NO_BREAK)}"
        for trait in strongest
    ]


def _with_population(facts: Facts) -> pd.DataFrame | None:
    """Return the label's shares with everybody's beside them; None without a label."""
    labels = facts.table("segment_labels")
    if labels.empty or facts.study.label is None:
        return None
    counts = labels.groupby("label")["entities"].sum()
    everybody = labels["label"].map(counts / counts.sum())
    return labels.assign(everybody=everybody, label=labels["label"].astype(str))


def _outcomes(facts: Facts) -> tuple[str, dict[int, str]]:
    """Return the title of the label's column and what it holds; empty where none differs."""
    labels = _with_population(facts)
    if labels is None:
        return "", {}
    called = facts.called(facts.study.label)
    if is_answer(labels):
        answers = labels[labels["label"].str.lower() == YES]
        if answers.empty or not ((answers["share"] - answers["everybody"]).abs() >= CLEARLY).any():
            return "", {}
        everybody = share(float(answers["everybody"].iloc[0]))
        title = f"{_label_words(facts, YES)} (all {everybody})"
        texts = {int(row["segment_id"]): share(row["share"]) for row in records(answers)}
        absent = set(labels["segment_id"].astype(int)) - set(texts)
        return title, texts | dict.fromkeys(absent, share(0.0))
    most = labels.sort_values("share", ascending=False).drop_duplicates("segment_id")
    texts = {
        int(row["segment_id"]): f"{row['label']} {share(row['share'])}"
        f" (all {share(row['everybody'])})"
        for row in records(most)
    }
    return f"commonest {called}", texts
