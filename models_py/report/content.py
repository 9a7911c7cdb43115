"""What a page is made of, before it is HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True)
class Table:
    """Rows of words and figures; escaped when the page is written.

    Attributes
    ----------
    head
        Titles of the columns.
    rows
        Cells as text.
    texts
        Positions of the columns that hold words; the others hold figures and stand right.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[int] = frozenset({0})


@dataclass(frozen=True)
class Figure:
    """A drawing with its words.

    Attributes
    ----------
    key
        Its id in the page.
    title
        What it shows, as a heading.
    drawing
        HTML or SVG that was escaped where it was made.
    alternative
        What a reader who cannot see it should know.
    note
        How to read it.
    table
        The same figures as a table, folded away under it.
    is_wide
        Whether it takes the page's whole width.
    """

    key: str
    title: str
    drawing: Markup
    alternative: str
    note: str = ""
    table: Table | None = None
    is_wide: bool = False


@dataclass(frozen=True)
class Code:
    """Text to copy."""

    title: str
    text: str


@dataclass(frozen=True)
class Trait:
    """Something that a segment has more or less of.

    Attributes
    ----------
    name
        What a segment is called that is so, such as ``bargain seekers``.
    words
        The column in words.
    text, population
        Its mean in the segment and over all rows.
    is_high
        On which side it stands out.
    width
        Length of its bar, 0..1.
    detail
        Effect size and interval, in words.
    spread
        Where the middle half of the segment lies; empty where it is not known.
    """

    name: str
    words: str
    text: str
    population: str
    is_high: bool
    width: float
    detail: str
    spread: str = ""


@dataclass(frozen=True)
class Advice:
    """Something to do about a segment, and the figures that led to it."""

    action: str
    text: str
    because: str


@dataclass(frozen=True)
class Card:
    """A segment on a card.

    Attributes
    ----------
    colour
        1..12, its place in the palette.
    facts
        Pairs of title and figure.
    withheld
        Why only the size is given; empty where the segment is described.
    members
        How many are in it.
    sureness
        How sure its members are of it: pairs of title and figure.
    """

    segment_id: int
    name: str
    partition: str
    colour: int
    size: str
    share: str
    badge: str
    badge_kind: str
    badge_detail: str
    withheld: str
    members: int = 0
    traits: list[Trait] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    sureness: list[tuple[str, str]] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    rule: str = ""
    rule_detail: str = ""
    rule_sql: str = ""
    advice: list[Advice] = field(default_factory=list)


@dataclass(frozen=True)
class Section:
    """A part of the page with its own heading.

    Attributes
    ----------
    key
        Its id in the page.
    title
        As in the table of contents.
    lead
        Paragraphs under the heading.
    left_out
        What is not shown, and why; one line each.
    """

    key: str
    title: str
    lead: list[str] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: list[tuple[str, Table]] = field(default_factory=list)
    code: list[Code] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show but what is left out."""
        return not (self.cards or self.figures or self.tables or self.code or self.points)


@dataclass(frozen=True)
class Panel:
    """Sections under one tab."""

    key: str
    title: str
    sections: list[Section]


@dataclass(frozen=True)
class ComparedSegment:
    """A segment's row on the first screen; empty where there is nothing to say."""

    card: Card
    worth: str
    traits: list[str]
    outcome: str
    todo: str


@dataclass(frozen=True)
class Comparison:
    """The segments side by side.

    Attributes
    ----------
    worth_title, outcome_title
        Of columns that are there where they tell something; empty otherwise.
    has_todo
        Whether any segment asks for more than to go on as before.
    more
        How many smaller segments are not in it.
    """

    rows: list[ComparedSegment]
    worth_title: str
    outcome_title: str
    has_todo: bool
    more: int


@dataclass(frozen=True)
class Tile:
    """A key figure of the first screen."""

    figure: str
    words: str


@dataclass(frozen=True)
class Summary:
    """The first screen.

    Attributes
    ----------
    sentences
        The answer in plain words.
    bar
        The segments' shares as one bar.
    comparison
        The segments side by side.
    strongest
        What to do first, with its segment; None where nothing but to go on is advised.
    """

    sentences: list[str]
    tiles: list[Tile]
    bar: Markup
    comparison: Comparison
    strongest: tuple[Card, Advice] | None
