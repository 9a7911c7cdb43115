"""The page of a run as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from models_py.base.invocation import as_called
from models_py.base.progress import Progress
from models_py.report.content import Card, Panel, Section
from models_py.report.facts import Facts
from models_py.base.numbers import day
from models_py.report.sections.behaving import behaviour_section
from models_py.report.sections.cards import cards_section, segment_cards
from models_py.report.sections.changing import changing_section
from models_py.report.sections.choosing import choosing_section
from models_py.report.sections.comparing import profile_section, resemblance_section, sizes_section
from models_py.report.sections.data import (
    data_section,
    outliers_section,
    selection_section,
    training_section,
)
from models_py.report.sections.distributing import distributions_section
from models_py.report.sections.explaining import explaining_section
from models_py.report.sections.exploring import exploring_section
from models_py.report.sections.history import history_section
from models_py.report.sections.labelling import labelling_section
from models_py.report.sections.mapping import maps_section
from models_py.report.sections.method import method_section, questions_section
from models_py.report.sections.moving import moving_section
from models_py.report.sections.summary import summarise
from models_py.report.sections.usefulness import usefulness_section

Make = Callable[[Facts], Section | None]

PANELS: Sequence[tuple[str, str, Sequence[tuple[str, Make]]]] = (
    (
        "segments",
        "Segments",
        (
            ("profiles", profile_section),
            ("sizes", sizes_section),
            ("behaviour", behaviour_section),
            ("labels", labelling_section),
            ("changes", changing_section),
            ("history", history_section),
            ("likely moves", moving_section),
        ),
    ),
    (
        "reasons",
        "Why these",
        (
            ("explanations", explaining_section),
            ("distributions", distributions_section),
            ("maps", maps_section),
            ("candidates", choosing_section),
            ("resemblance", resemblance_section),
            ("validity", usefulness_section),
        ),
    ),
    (
        "data",
        "Data",
        (
            ("what the data say", exploring_section),
            ("data", data_section),
            ("features", selection_section),
            ("outliers", outliers_section),
            ("training", training_section),
        ),
    ),
    ("method", "Method", (("method", method_section), ("questions", questions_section))),
)
"""The tabs: key, title and sections, each with what the progress calls it."""


def write_page(facts: Facts, files: Sequence[str], progress: Progress) -> str:
    """Return the whole page of a run.

    Parameters
    ----------
    facts
        The run.
    files
        Names of the files beside the page.
    progress
        Shows each section.
    """
    cards = segment_cards(facts)
    panels = _panels(facts, cards, progress)
    progress.step("writing the page")
    return _rendered(
        facts,
        panels,
        what=f"segments of {facts.things}",
        summary=summarise(facts, cards),
        keys=[card for card in cards if not card.withheld],
        files=files,
    )


def write_exploration(facts: Facts, progress: Progress) -> str:
    """Return a page of what the rows of a table say, before anything is clustered."""
    progress.step("drawing what the data say")
    sections = [exploring_section(facts), data_section(facts)]
    return _rendered(facts, [Panel("data", "Data", sections)], what=f"{facts.things} so far")


def _rendered(facts: Facts, panels: Sequence[Panel], **parts: Any) -> str:
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("models_py.report"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page: str = environment.get_template("page.html").render(
        title=facts.study.title,
        when=day(facts.run.started_at),
        run_id=facts.run.run_id,
        study=facts.run.study,
        panels=panels,
        **parts,
    )
    return as_called(page)


def _panels(facts: Facts, cards: list[Card], progress: Progress) -> list[Panel]:
    """Return the tabs; what has nothing to show is one list of what is left out, and why."""
    panels, left_out = [], []
    for key, title, makers in PANELS:
        sections = [cards_section(facts, cards)] if key == "segments" else []
        for words, make in makers:
            progress.step(f"drawing {words}")
            section = make(facts)
            if section is not None and section.is_empty:
                left_out += section.left_out
            elif section is not None:
                sections.append(section)
        panels.append(Panel(key, title, sections))
    if left_out:
        panels[-1].sections.append(Section("left-out", "Not shown, and why", left_out=left_out))
    return panels
