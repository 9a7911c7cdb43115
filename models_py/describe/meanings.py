"""What another grouping of the same rows would mean, in words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from models_py.base.arrays import IntArray
from models_py.base.numbers import listed

LARGE_PART = 0.15
"""Share of a segment, or of a cluster, that counts as one of its parts."""
MOST_SAID = 3
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def meaning(counts: IntArray, names: Sequence[str], least: int) -> str:
    """Say what becomes of the segments in another grouping.

    Parameters
    ----------
    counts
        Shape (segments, clusters): rows that each segment shares with each cluster.
    names
        What each segment is called.
    least
        Rows under which a part is not spoken of.

    Returns
    -------
    str
        Such as ``"'loyal' is cut in two; 'new' and 'rare' become one; two others stay"``.
    """
    if len(names) == 1:
        return _parts(counts[0], least)
    sizes, into = counts.sum(axis=1), counts.sum(axis=0)
    is_part = (counts >= LARGE_PART * sizes[:, None]) & (counts >= max(least, 1))
    # What a cluster is made of: a segment that is all but wholly in it, or a good part of it.
    is_source = is_part & (
        (counts >= LARGE_PART * into[None, :]) | (is_part.sum(axis=1) == 1)[:, None]
    )
    whole = is_part.sum(axis=1) == 1
    said: list[str] = []
    spoken: set[int] = set()
    for segment in np.flatnonzero(is_part.sum(axis=1) > 1).tolist():
        said.append(f"'{names[segment]}' is cut in {_count(int(is_part[segment].sum()))}")
        spoken.add(segment)
    for cluster in range(counts.shape[1]):
        joined = np.flatnonzero(is_source[:, cluster] & whole).tolist()
        if len(joined) > 1:
            words = listed([f"'{names[source]}'" for source in joined])
            said.append(f"{words} become one")
            spoken.update(joined)
    stay = len(names) - len(spoken)
    if len(said) > MOST_SAID:
        cut = int((is_part.sum(axis=1) > 1).sum())
        return f"it runs across these: {_count(cut)} of {_count(len(names))} are cut"
    if stay and said:
        others = "other stays" if stay == 1 else "others stay"
        said.append(f"{_count(stay)} {others} much as now")
    return "; ".join(said) or "the same segments with other borders"


def sureness(likely_right: float) -> str | None:
    """Say how often such an answer was right; None where that is not known."""
    if np.isnan(likely_right):
        return None
    tenths = round(10 * likely_right)
    if tenths == 0:
        return "of ten answers with such evidence on tables with known groups hardly any was right"
    return (
        f"of ten answers with such evidence on tables with known groups {_count(tenths)}"
        f" {'was' if tenths == 1 else 'were'} right"
    )


def offer(answer: Mapping[Hashable, Any]) -> str:
    """Say another grouping in a line.

    Parameters
    ----------
    answer
        A row of ``results.answers`` of rank 1 or more.
    """
    agreement = float(answer["agreement"])
    by = f"{answer['k']} segments by {str(answer['algorithm']).replace('_', ' ')}"
    alike = "" if np.isnan(agreement) else f" (adjusted Rand with these {agreement:.2f})"
    return f"{by}: {answer['meaning']}{alike}"


def _parts(sizes: IntArray, least: int) -> str:
    """Say the parts that rows which are one segment would fall into."""
    shares = np.sort(sizes[sizes >= max(least, 1)])[::-1] / sizes.sum()
    if len(shares) < len(sizes) or len(shares) > MOST_SAID + 1:
        return f"the rows fall into {_count(len(sizes))} groups"
    return f"the rows fall into groups of {listed([f'{share:.0%}' for share in shares])}"


def _count(number: int) -> str:
    return COUNTS[number] if number < len(COUNTS) else str(number)
