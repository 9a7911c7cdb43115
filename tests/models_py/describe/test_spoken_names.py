"""A hundred names from planted tables of several kinds: read them aloud in names_golden.txt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from spoken_tables import TABLES, SpokenTable, planted_table

from models_py.describe.kinds import column_kinds
from models_py.describe.names import Speech, name_segments
from models_py.describe.profiles import profile_categories, profile_segments
from models_py.describe.traits import find_traits
from models_py.describe.words import Vocabulary
from models_py.features.settings import Features

GOLDEN = Path(__file__).with_name("names_golden.txt")


def described(table: SpokenTable) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Return a table's rows, their segments, profiles and shares of words."""
    frame, ids = planted_table(table)
    speech = speech_of(table, frame)
    words = [column for column, kind in speech.kinds.items() if kind == "words"]
    numbers = frame.drop(columns=words).astype(float)
    return frame, ids, profile_segments(numbers, ids), profile_categories(frame, ids, 0, words)


def speech_of(table: SpokenTable, frame: pd.DataFrame) -> Speech:
    features = Features(include=["*"], ordinal=table.ordinal)
    return Speech(column_kinds(frame, features), Vocabulary(table.words), table.who)


def names_of(table: SpokenTable) -> list[str]:
    frame, _, profiles, categories = described(table)
    speech = speech_of(table, frame)
    return [naming.name for naming in name_segments(profiles, categories, 3, speech).values()]


def test_names_are_those_that_were_read_aloud() -> None:
    text = "\n\n".join("\n".join([table.who, *names_of(table)]) for table in TABLES) + "\n"
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.who)
def test_names_are_short_and_differ(table: SpokenTable) -> None:
    names = names_of(table)
    assert len(set(names)) == len(names)
    assert max(len(name.split()) for name in names) <= 7


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.who)
def test_every_trait_is_borne_out_by_the_rows(table: SpokenTable) -> None:
    frame, ids, profiles, categories = described(table)
    speech = speech_of(table, frame)
    checked = 0
    for segment_id, profile in profiles.groupby("segment_id"):
        own = categories[categories["segment_id"] == segment_id]
        for trait in find_traits(profile, own, speech.kinds, speech.vocabulary):
            column, _, word = trait.feature.partition("=")
            values = frame[column].eq(word) if word else frame[column].astype(float)
            inside, everybody = float(values[ids == segment_id].mean()), float(values.mean())
            assert (inside > everybody) == trait.is_high, trait
            if speech.kinds[column] != "number":
                no = f" {speech.vocabulary.yes_or_no(column, False).words}" if not word else " not "
                check_words(f" {trait.part.words} ", inside, no)
            checked += 1
    assert checked > 10


def check_words(words: str, inside: float, no: str) -> None:
    """Hold how a share is spoken of against the share of the rows themselves."""
    part = 1 - inside if no in words else inside
    if " mostly " in words:
        assert part >= 0.5, words
    elif " more often " not in words and " less often " not in words:
        assert part >= 0.95, words
