"""Planted wide tables are repeatable, scaled and of the promised form."""

import numpy as np
import pytest
from planted_wide import KINDS, NO_GROUPS, wide_sets


@pytest.mark.parametrize("seed", range(3))
def test_every_table_has_the_promised_form(seed):
    drawn = list(wide_sets(seed))
    assert [name for name, _, _ in drawn] == list(KINDS)
    for (name, points, truth), (_, again, _) in zip(drawn, wide_sets(seed), strict=True):
        assert np.array_equal(points, again), name
        assert 4 <= points.shape[1] <= 40, name
        np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=1e-9)
        np.testing.assert_allclose(points.std(axis=0), 1.0)
        groups, sizes = np.unique(truth, return_counts=True)
        assert groups.tolist() == list(range(groups.size)), name
        assert (groups.size == 1) == (name == NO_GROUPS)
        assert sizes.min() >= 20, name
