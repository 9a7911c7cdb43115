"""What became of the segments and who moves next: on the page where there is something to say."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from report_house import Reported

from models_py.base.progress import Silent
from models_py.report.content import Section
from models_py.report.facts import Facts, read_facts
from models_py.report.page import write_page
from models_py.report.sections.history import history_section
from models_py.report.sections.moving import moving_section


@pytest.fixture(scope="module")
def facts(explained: Reported) -> Facts:
    return read_facts(explained.run_id, explained.warehouse)


def with_forecast(facts: Facts, *, refused: str | None = None, auc: float = 0.83) -> Facts:
    assignments = facts.tables["assignments"]
    forecast = pd.DataFrame(
        [(facts.run.run_id, 3, 900, 0.12, auc, 300, refused)],
        columns=["run_id", "transitions", "rows", "moved_share", "auc", "auc_rows", "refused"],
    ).astype({"refused": "object"})
    moves = assignments[["run_id", "entity_id", "segment_id"]].assign(likelihood=0.25)
    moves.loc[moves["segment_id"] == 1, "likelihood"] = 0.5
    tables = {"move_forecasts": forecast, "likely_moves": moves}
    return replace(facts, tables={**facts.tables, **tables})


def with_events(facts: Facts, *events: tuple[object, ...]) -> Facts:
    """The history with these rows of the newest run beside its own."""
    names = ["segment_id", "event", "other_segment_id", "other_share", "size_before", "size"]
    newest = facts.history["number"].max()
    started = facts.history["started_at"].max()
    added = pd.DataFrame(events, columns=[*names, "is_withheld"]).assign(
        number=newest, started_at=started, name="a name that tells"
    )
    return replace(facts, history=pd.concat([facts.history, added], ignore_index=True))


def cells(section: Section | None, place: int = 0) -> list[list[str]]:
    assert section is not None
    return [list(row) for row in section.tables[place][1].rows]


def test_sizes_stand_run_after_run(facts: Facts) -> None:
    section = history_section(facts)
    assert section is not None
    assert section.lead[0].startswith("2 runs since ")
    assert section.lead[0].endswith("no segment was born, split, merged or lost.")
    (figure,) = section.figures
    assert figure.table is not None
    sizes = facts.segments.set_index("segment_id")["size"]
    before = facts.previous_segments.set_index("segment_id")["size"]
    for row in figure.table.rows:
        segment_id = int(row[0].split()[0])
        assert [row[1], row[2]] == [f"{before[segment_id]:,}", f"{sizes[segment_id]:,}"]


def test_what_became_of_segments_is_said_in_words(facts: Facts) -> None:
    section = history_section(
        with_events(
            facts,
            (8, "split", 2, 0.8, None, 30, False),
            (9, "merged", 1, 0.61, 40, None, False),
            (10, "died", None, None, 20, None, False),
        )
    )
    assert section is not None
    assert section.lead[0].endswith("1 split off, 1 merged away and 1 gone.")
    assert [row[1:] for row in cells(section)] == [
        ["8 a name that tells", "split off: 80% of it came from segment 2", "\u2013", "30"],
        ["9 a name that tells", "merged away: 61% of it went into segment 1", "40", "\u2013"],
        ["10 a name that tells", "gone", "20", "\u2013"],
    ]


def test_a_segment_that_is_withheld_has_its_size_alone(facts: Facts) -> None:
    told = with_events(
        facts, (8, "born", None, None, None, 30, True), (9, "died", None, None, 3, None, False)
    )
    names = [row[1] for row in cells(history_section(told))]
    assert names == ["8 segment not described", "9 segment not described"]


def test_one_run_has_no_history(facts: Facts) -> None:
    first = facts.history[facts.history["number"] == 1]
    assert history_section(replace(facts, history=first)) is None


def test_likely_moves_stand_by_segment_with_their_figure_of_trust(facts: Facts) -> None:
    section = moving_section(with_forecast(facts))
    assert section is not None
    assert "AUC 0.83, where 0.5 is chance" in section.lead[0]
    (figure,) = section.figures
    assert figure.table is not None
    size = int(facts.segments.set_index("segment_id").loc[1, "size"])
    assert figure.table.rows[0][1:] == [f"{size}", "50%", f"{round(size / 2)}"]
    assert "do not act on it" not in section.lead[0]
    weak = moving_section(with_forecast(facts, auc=0.52))
    assert weak is not None
    assert "little better than chance: do not act on it" in weak.lead[0]


def test_withheld_segments_have_no_likelihood(facts: Facts) -> None:
    hidden = with_forecast(facts)
    segments = hidden.tables["segments"].copy()
    segments["is_small"] = segments["segment_id"] == 1
    hidden = replace(hidden, tables={**hidden.tables, "segments": segments})
    section = moving_section(hidden)
    assert section is not None
    assert section.figures[0].table is not None
    assert not [row for row in section.figures[0].table.rows if row[0].startswith("1 ")]


def test_a_refusal_is_one_line_and_no_forecast_is_nothing(facts: Facts) -> None:
    assert moving_section(facts) is None
    section = moving_section(with_forecast(facts, refused="2 runs so far, and 3 are needed"))
    assert section is not None
    assert section.is_empty
    assert section.left_out == [
        "Who is likely to move next is not known: 2 runs so far, and 3 are needed."
    ]


def test_the_page_has_both_and_no_id(facts: Facts, explained: Reported) -> None:
    page = write_page(with_forecast(facts), [], Silent())
    assert 'id="history"' in page
    assert 'id="moves"' in page
    assert not [entity for entity in explained.ids if entity in page]
