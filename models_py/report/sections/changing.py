"""What changed since the run before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models_py.describe.withholding import TOGETHER
from models_py.report.content import Figure, Section, Table
from models_py.report.drawing import PALETTE
from models_py.report.facts import Facts, records
from models_py.base.numbers import count, share
from models_py.report.sections.summary import moved_share
from models_py.report.shape_charts import Node, draw_flows

if TYPE_CHECKING:
    import pandas as pd

HELD = "segments not described"
GONE_COLOUR = 13
"""Past the palette: the quiet colour of no segment."""


def changing_section(facts: Facts) -> Section:
    """Return who moved since the run before, as flows and as a table."""
    title = "Changes since the last run"
    moves = described_moves(facts)
    if moves.empty:
        why = "No changes to show: this is the study's first run."
        return Section("changes", title, left_out=[why])
    moved = moved_share(facts)
    came = int(moves.loc[moves["from_segment_id"].isna(), "entities"].sum())
    went = int(moves.loc[moves["to_segment_id"].isna(), "entities"].sum())
    lead = [
        f"Compared with run {facts.run.previous_run_id}: {share(moved)} of the {facts.things} in"
        f" both runs changed segment, {came:,} came, {went:,} went. A segment keeps its number as"
        " long as it keeps its members."
    ]
    return Section("changes", title, lead, figures=[_flows(facts, moves)])


def described_moves(facts: Facts) -> pd.DataFrame:
    """Return how many went from where to where; segments that are withheld are one."""
    moves = facts.tables["migrations"][["from_segment_id", "to_segment_id", "entities"]].copy()
    for side, held in (
        ("from_segment_id", facts.withheld_before),
        ("to_segment_id", facts.withheld),
    ):
        moves[side] = moves[side].mask(moves[side].isin(list(held)), TOGETHER)
    sides = ["from_segment_id", "to_segment_id"]
    return moves.groupby(sides, dropna=False)["entities"].sum().reset_index()


def _flows(facts: Facts, moves: pd.DataFrame) -> Figure:
    flows = [
        (_key(row["from_segment_id"]), _key(row["to_segment_id"]), int(row["entities"]))
        for row in records(moves)
    ]
    names = {
        int(row["segment_id"]): str(row["name"]) for row in records(facts.previous_segments)
    } | facts.names
    colours = _colours(facts, flows)
    before = _nodes([flow[0] for flow in flows], [flow[2] for flow in flows], colours, "new")
    after = _nodes([flow[1] for flow in flows], [flow[2] for flow in flows], colours, "gone")
    changed = [flow for flow in flows if flow[0] != flow[1]]
    changed.sort(key=lambda flow: -flow[2])
    text = "; ".join(
        f"{count(size)} from {_words(source, 'outside')} to {_words(target, 'outside')}"
        for source, target, size in changed[:5]
    )
    alternative = f"Flows between the segments of two runs. Largest moves: {text or 'none'}."
    rows = [
        [_named(source, names, "not there before"), _named(target, names, "gone"), count(size)]
        for source, target, size in sorted(flows, key=lambda flow: -flow[2])
    ]
    return Figure(
        "flows",
        f"Where the {facts.things} went",
        draw_flows(before, after, flows, alternative),
        alternative,
        note="Left: the segments of the run before. Right: those of this run. A band is as thick"
        f" as the {facts.things} in it are many.",
        table=Table(["from", "to", facts.things], rows, frozenset({0, 1})),
        is_wide=True,
    )


def _colours(
    facts: Facts, flows: list[tuple[int | None, int | None, int]]
) -> dict[int | None, int]:
    known: list[tuple[int | None, int]] = [
        (None, GONE_COLOUR),
        (TOGETHER, GONE_COLOUR),
        *facts.colours.items(),
    ]
    colours = dict(known)
    gone = sorted({flow[0] for flow in flows if flow[0]} - set(facts.colours))
    for segment_id in gone:
        colours[segment_id] = (segment_id - 1) % PALETTE + 1
    return colours


def _nodes(
    keys: list[int | None], sizes: list[int], colours: dict[int | None, int], missing: str
) -> list[Node]:
    totals: dict[int | None, int] = {}
    for key, size in zip(keys, sizes, strict=True):
        totals[key] = totals.get(key, 0) + size
    ordered = sorted(totals, key=lambda key: (key is None, key or 0))
    return [Node(key, _mark(key, missing), colours[key], totals[key]) for key in ordered]


def _mark(key: int | None, missing: str) -> str:
    return missing if key is None else HELD if key == TOGETHER else str(key)


def _key(value: object) -> int | None:
    return None if value is None else int(str(value).removesuffix(".0"))


def _words(key: int | None, missing: str) -> str:
    return missing if key is None else HELD if key == TOGETHER else f"segment {key}"


def _named(key: int | None, names: dict[int, str], missing: str) -> str:
    if key is None or key == TOGETHER:
        return _mark(key, missing)
    return f"{key} {names.get(key, '')}".strip()
