"""What another grouping would mean, read aloud."""

from __future__ import annotations

import numpy as np
import pytest

from models_py.describe.meanings import meaning, offer, sureness

NAMES = ["loyal", "new", "rare"]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            [[60, 40, 0], [0, 0, 50], [0, 0, 40]],
            "'loyal' is cut in two; 'new' and 'rare' become one",
        ),
        ([[99, 1], [2, 48], [3, 37]], "'new' and 'rare' become one; one other stays much as now"),
        (
            [[30, 30, 40, 0, 0], [0, 0, 0, 50, 0], [0, 0, 0, 0, 40]],
            "'loyal' is cut in three; two others stay much as now",
        ),
        ([[95, 3, 2], [2, 48, 0], [1, 0, 39]], "the same segments with other borders"),
        # A part under the limit is not spoken of.
        ([[97, 3, 0, 0], [0, 2, 4, 0], [0, 0, 0, 40]], "the same segments with other borders"),
    ],
)
def test_segments_are_cut_and_become_one(counts: list[list[int]], said: str) -> None:
    assert meaning(np.array(counts), NAMES, 5) == said


def test_too_many_changes_are_counted() -> None:
    counts = np.full((4, 2), 20)
    assert meaning(counts, [*NAMES, "late"], 5) == "it runs across these: four of four are cut"


def test_one_segment_falls_into_groups() -> None:
    assert meaning(np.array([[50, 30, 20]]), ["all"], 5) == (
        "the rows fall into groups of 50%, 30% and 20%"
    )
    assert meaning(np.array([[96, 4]]), ["all"], 5) == "the rows fall into two groups"


@pytest.mark.parametrize(
    ("likely", "said"),
    [
        (0.83, "eight were right"),
        (0.06, "one was right"),
        (0.02, "hardly any was right"),
        (1.0, "ten were right"),
    ],
)
def test_sureness_is_said_in_tenths(likely: float, said: str) -> None:
    assert str(sureness(likely)).endswith(said)
    assert sureness(float("nan")) is None


def test_an_offer_is_a_line() -> None:
    answer = {"k": 4, "algorithm": "gaussian_mixture", "meaning": "x", "agreement": 0.714}
    assert offer(answer) == "4 segments by gaussian mixture: x (adjusted Rand with these 0.71)"
    assert offer(answer | {"agreement": float("nan")}) == "4 segments by gaussian mixture: x"
