"""Names and sentences for segments, from what stands out in their profiles."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base.errors import StudyError
from models_py.base.plurals import many
from models_py.describe.words import column_words, plain_words, unit, words_of

if TYPE_CHECKING:
    import pandas as pd

CLEAR_Z = 0.25


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


def name_segments(
    profiles: pd.DataFrame,
    top: int,
    who: str = "customers",
    given: Mapping[int, str] | None = None,
) -> dict[int, Naming]:
    """Name every segment by what stands out most; names are unique.

    Parameters
    ----------
    profiles
        Rows of the features to name by, of all segments; a segment without a known ``mean``
        was too small to be profiled.
    top
        How many high and low features the description tells.
    who
        What a row is, in the plural, where no feature tells more.
    given
        Names that a person gave, by segment id.
    """
    given = given or {}
    namings: dict[int, Naming] = {}
    taken = set(given.values())
    for segment_id, profile in profiles.groupby("segment_id"):
        number = int(str(segment_id))
        if number in given:
            name = given[number]
        elif profile["mean"].notna().any():
            name = _unique(_names_by_strength(profile, who), taken)
        else:
            name = _unique([f"small group of {who}"], taken)
        taken.add(name)
        namings[number] = Naming(name, _described(profile, top))
    return namings


def given_names(path: Path, study: str) -> dict[int, str]:
    """Return the names that a person gave to a study's segments.

    Parameters
    ----------
    path
        A TOML file with one table a study: ``segment_id = "name"``. None is needed.
    study
        Its name.

    Raises
    ------
    StudyError
        The file cannot be read, or a key, a name or a repeated name is wrong; says which.
    """
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8")).get(study, {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: not readable as TOML: {error}") from error
    if not isinstance(content, dict):
        raise StudyError(f'{path}: {study} is a table: [{study}], then lines such as 3 = "name"')
    names: dict[int, str] = {}
    for key, name in content.items():
        if not key.isdigit():
            raise StudyError(f"{path}: [{study}] '{key}': a segment id is a whole number")
        if not isinstance(name, str) or not name.strip():
            raise StudyError(f"{path}: [{study}] {key}: a name is a text that is not empty")
        if name in names.values():
            raise StudyError(f"{path}: [{study}] {key}: '{name}' stands twice; names are unique")
        names[int(key)] = name
    return names


def rows_of(entity: str) -> str:
    """Return what the rows of an entity column are: ``customer_id`` are ``customers``."""
    words = re.sub(r"(_|^)(id|key|code|number|no)$", "", entity).replace("_", " ").strip()
    if not words or words.endswith("s"):
        return words or "customers"
    return many(words)


def side_words(feature: str, z: float) -> str:
    """Return what a segment is called that is high (z > 0) or low in a feature."""
    side = words_of(feature).get("high" if z > 0 else "low")
    if side is not None:
        return side.format(what=_what(feature))
    if "=" in feature:
        return column_words(feature) if z > 0 else f"few {column_words(feature)}"
    return f"{'high' if z > 0 else 'low'} {column_words(feature)}"


def _what(feature: str) -> str:
    return plain_words(feature).removesuffix(" share")


@dataclass(frozen=True)
class _Part:
    """What one feature gives to a name: an adjective, a noun, or a phrase of its own."""

    kind: str
    words: str


def _names_by_strength(profile: pd.DataFrame, who: str) -> list[str]:
    # Names of one, two, three, ... features, the clearest first.
    pairs = zip(profile["feature"].astype(str), profile["z"].astype(float), strict=True)
    clear = sorted((-abs(z), feature, z) for feature, z in pairs if abs(z) >= CLEAR_Z)
    parts = list(dict.fromkeys(_name_part(feature, z) for _, feature, z in clear))
    names = [_joined(parts[:count], who) for count in range(1, len(parts) + 1)]
    return names[1:] or names or ["near the average"]


def _name_part(feature: str, z: float) -> _Part:
    side, words = "high" if z > 0 else "low", words_of(feature)
    for kind in ("as", "who"):
        if f"{side}_{kind}" in words:
            return _Part(kind, words[f"{side}_{kind}"].format(what=_what(feature)))
    return _Part("phrase", side_words(feature, z))


def _joined(parts: list[_Part], who: str) -> str:
    adjectives = [part.words for part in parts if part.kind == "as"]
    people = [part.words for part in parts if part.kind == "who"]
    phrases = [part.words for part in parts if part.kind == "phrase"]
    if not adjectives and not people:
        return ", ".join(phrases)
    text = " ".join([*adjectives, " and ".join(people) or who])
    return ", ".join([text, *phrases])


def _unique(names: list[str], taken: set[str]) -> str:
    for name in names:
        if name not in taken:
            return name
    number = 2
    while f"{names[-1]} ({number})" in taken:
        number += 1
    return f"{names[-1]} ({number})"


def _described(profile: pd.DataFrame, top: int) -> str:
    if profile["mean"].isna().all():
        return "too few members to be profiled: figures are withheld"
    high, low = standing_out(profile, top)
    parts = [
        f"{side}: "
        + ", ".join(
            f"{column_words(feature)} {mean:,.3g}{unit(feature)} (all {population:,.3g})"
            for feature, mean, population in zip(
                rows["feature"], rows["mean"], rows["population_mean"], strict=True
            )
        )
        for side, rows in (("high", high), ("low", low))
        if not rows.empty
    ]
    return "; ".join(parts) or "no feature stands out from the average"
