"""The page of a run as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models_py.base.progress import Progress
from models_py.report.content import Section
from models_py.report.facts import Facts
from models_py.base.numbers import day
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
from models_py.report.sections.explaining import explaining_section
from models_py.report.sections.labelling import labelling_section
from models_py.report.sections.mapping import maps_section
from models_py.report.sections.method import method_section, questions_section
from models_py.report.sections.summary import summarise
from models_py.report.sections.usefulness import usefulness_section

SECTIONS: Sequence[tuple[str, Callable[[Facts], Section | None]]] = (
    ("sizes", sizes_section),
    ("profiles", profile_section),
    ("maps", maps_section),
    ("explanations", explaining_section),
    ("candidates", choosing_section),
    ("resemblance", resemblance_section),
    ("changes", changing_section),
    ("labels", labelling_section),
    ("validity", usefulness_section),
    ("data", data_section),
    ("features", selection_section),
    ("outliers", outliers_section),
    ("training", training_section),
    ("method", method_section),
    ("questions", questions_section),
)
"""The sections after the cards, in the order of the page, with what the progress calls them."""


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
    from jinja2 import Environment, PackageLoader

    cards = segment_cards(facts)
    sections = [cards_section(facts, cards)]
    for words, make in SECTIONS:
        progress.step(f"drawing {words}")
        section = make(facts)
        if section is not None:
            sections.append(section)
    progress.step("writing the page")
    environment = Environment(
        loader=PackageLoader("models_py.report"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page: str = environment.get_template("page.html").render(
        title=facts.study.title,
        what=f"segments of {facts.things}",
        when=day(facts.run.started_at),
        run_id=facts.run.run_id,
        summary=summarise(facts, cards),
        keys=[] if facts.is_partitioned else cards,
        sections=sections,
        files=files,
    )
    return page
