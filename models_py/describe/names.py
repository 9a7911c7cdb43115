"""Names and sentences for segments, from what stands out in their profiles."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CLEAR_Z = 0.25
WORDS = Path(__file__).with_name("words.toml")


@dataclass(frozen=True)
class Naming:
    """A segment's name and the sentence under it."""

    name: str
    description: str


def standing_out(profile: pd.DataFrame, top: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of one segment's profile that are highest and lowest by ``z``.

    Parameters
    ----------
    profile
        Rows of :func:`models_py.describe.profiles.profile_segments` of one segment.
    top
        How many of each at most; under a quarter of a standard deviation nothing stands out.
    """
    ordered = profile.sort_values(["z", "feature"], ascending=[False, True])
    high = ordered[ordered["z"] >= CLEAR_Z].head(top)
    low = ordered[ordered["z"] <= -CLEAR_Z].tail(top)[::-1]
    return high, low


def name_segments(profiles: pd.DataFrame, top: int) -> dict[int, Naming]:
    """Name every segment by what stands out most; names are unique.

    Parameters
    ----------
    profiles
        Rows of the features to name by, of all segments.
    top
        How many high and low features the description tells.
    """
    namings: dict[int, Naming] = {}
    taken: set[str] = set()
    for segment_id, profile in profiles.groupby("segment_id"):
        name = _unique(_words_by_strength(profile), taken)
        taken.add(name)
        namings[int(str(segment_id))] = Naming(name, _described(profile, top))
    return namings


def feature_words(feature: str) -> str:
    """Return a column's name in words: ``department_meat_share`` is ``meat share``."""
    words, _, category = feature.partition("=")
    for prefix in ("department_", "format_", "hour_"):
        words = words.removeprefix(prefix)
    return words.replace("_", " ") + (f" {category}" if category else "")


def side_words(feature: str, z: float) -> str:
    """Return what a segment is called that is high (z > 0) or low in a feature."""
    for pattern, sides in _known_words().items():
        if fnmatchcase(feature, pattern):
            what = feature_words(feature).removesuffix(" share")
            return sides["high" if z > 0 else "low"].format(what=what)
    if "=" in feature:
        return feature_words(feature) if z > 0 else f"few {feature_words(feature)}"
    return f"{'high' if z > 0 else 'low'} {feature_words(feature)}"


@cache
def _known_words() -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return known


def _words_by_strength(profile: pd.DataFrame) -> list[str]:
    pairs = zip(profile["feature"].astype(str), profile["z"].astype(float), strict=True)
    clear = sorted((-abs(z), feature, z) for feature, z in pairs if abs(z) >= CLEAR_Z)
    words = [side_words(feature, z) for _, feature, z in clear]
    return list(dict.fromkeys(words)) or ["near the average"]


def _unique(words: list[str], taken: set[str]) -> str:
    for count in range(min(2, len(words)), len(words) + 1):
        name = ", ".join(words[:count])
        if name not in taken:
            return name
    number = 2
    while f"{', '.join(words)} ({number})" in taken:
        number += 1
    return f"{', '.join(words)} ({number})"


def _described(profile: pd.DataFrame, top: int) -> str:
    high, low = standing_out(profile, top)
    parts = [
        f"{side}: "
        + ", ".join(
            f"{feature_words(feature)} {mean:,.3g} (all {population:,.3g})"
            for feature, mean, population in zip(
                rows["feature"], rows["mean"], rows["population_mean"], strict=True
            )
        )
        for side, rows in (("high", high), ("low", low))
        if not rows.empty
    ]
    return "; ".join(parts) or "no feature stands out from the average"
