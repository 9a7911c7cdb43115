"""Files in random dialects are read as they were written, or stopped with a line."""

from __future__ import annotations

from collections import Counter

from reading import try_files


def test_200_files_are_equal_or_stopped_with_a_line() -> None:
    outcomes = try_files(200)
    counts = Counter(outcome.result for outcome in outcomes)
    wrong = [o for o in outcomes if o.result not in {"equal", "stopped"}]
    assert wrong == []
    assert counts["stopped"] <= 0.05 * len(outcomes)
    # Files that two hands wrote differently must not pass as one.
    assert all(o.result == "stopped" for o in outcomes if o.dialect.second == "dates")
