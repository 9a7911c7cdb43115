"""A frame of planted customers, and what was found in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from segmenthouse import Segmenter, segment

ROWS = 240


def planted() -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(3)
    kinds = generator.integers(0, 3, ROWS)
    frame = pd.DataFrame(
        {
            "customer_id": [f"00{number}" for number in generator.permutation(ROWS)],
            "spend": np.array([10.0, 50.0, 90.0])[kinds] + generator.normal(0, 5, ROWS),
            "visits": generator.poisson(np.array([3, 10, 20])[kinds]),
            "city": np.array(["Graz", "Linz", "Wien"])[kinds],
        }
    )
    frame.loc[5, "spend"] = np.nan
    return frame, kinds


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    return planted()[0]


@pytest.fixture(scope="session")
def kinds() -> np.ndarray:
    return planted()[1]


@pytest.fixture(scope="session")
def found(frame: pd.DataFrame) -> Segmenter:
    return segment(frame, id="customer_id")
