"""What to do about each segment, from rules in a data file, each with the figures behind it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, model_validator

from models_py.base.errors import StudyError
from models_py.base.numbers import MINUS
from models_py.base.plurals import plural
from models_py.base.sections import Section
from models_py.describe.names import Speech

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = Path(__file__).with_name("advice.toml")
MOST_ACTIONS = 4
NOT_ADVISED = (
    "withheld",
    "No advice: its figures are withheld",
    "those of a smaller segment would follow from them",
)
WORTH_OF = ("spend_amount", "*revenue*", "*_spend_amount")

Figure = Literal["mean", "median", "z", "effect_size", "total_share", "mean_to_median", "lift"]
SegmentFigure = Literal["size", "share", "stability", "worth", "is_small", "label_lift"]

FIGURE_WORDS = {
    "z": "{value:+.1f} standard deviations",
    "effect_size": "effect size {value:+.2f}",
    "total_share": "{value:.0%} of the total",
    "mean_to_median": "mean {value:.1f} times the median",
    "lift": "{value:.1f} times that of all",
}
SEGMENT_WORDS = {
    "share": "{value:.1%} of all",
    "stability": "stability {value:.2f}",
    "worth": "spend a head {value:.1f} times that of all",
    "is_small": "fewer members than are profiled",
    "label_lift": "{value:.1f} times as frequent as among all",
}


class Condition(Section):
    """A condition on one figure of the profile or of the segment."""

    feature: list[str] = Field(default_factory=list)
    figure: Figure = "z"
    segment: SegmentFigure | None = None
    above: float | None = None
    under: float | None = None

    @model_validator(mode="after")
    def _is_about_something(self) -> Condition:
        if bool(self.feature) == (self.segment is not None):
            raise ValueError("a condition names either feature or segment")
        if self.above is None and self.under is None:
            raise ValueError("a condition has above, under, or both")
        return self

    def holds(self, value: float) -> bool:
        """Return whether a known value lies where the condition wants it."""
        return (self.above is None or value > self.above) and (
            self.under is None or value < self.under
        )


class AdviceRule(Section):
    """One piece of advice, when it is given, and whether it stands alone."""

    action: str = Field(min_length=1)
    advice: str = Field(min_length=1)
    alone: bool = False
    when: list[Condition] = Field(min_length=1)


class _File(Section):
    rule: list[AdviceRule] = Field(default_factory=list)


def load_advice(own: Path | None = None) -> list[AdviceRule]:
    """Return the shipped rules with the user's own in their place or after them.

    Parameters
    ----------
    own
        A TOML file like ``advice.toml``; it need not be there.

    Raises
    ------
    StudyError
        A file is not as it should be; names the file, the key and the problem.
    """
    rules = {rule.action: rule for rule in _read(SHIPPED)}
    if own is not None and own.is_file():
        rules.update({rule.action: rule for rule in _read(own)})
    return list(rules.values())


def advise(
    segments: pd.DataFrame,
    profiles: pd.DataFrame,
    rules: list[AdviceRule],
    speech: Speech | None = None,
    label: str | None = None,
) -> pd.DataFrame:
    """Return what to do about each segment; nothing where no rule has anything to say.

    Parameters
    ----------
    segments
        Rows of ``results.segments``.
    profiles
        Rows of ``results.segment_features``.
    rules
        The most urgent first; at most four advise one segment.
    speech
        How columns are spoken of.
    label
        The study's known label; its frequency counts where it is yes or no.

    Returns
    -------
    pandas.DataFrame
        ``partition``, ``segment_id``, ``priority`` (1 first), ``action``, ``advice`` and
        ``because``, the figures that led to it.
    """
    import pandas as pd

    speech = speech or Speech({})
    profiles = profiles[profiles["mean"].notna()]
    by_segment = {
        int(str(segment_id)): part.set_index("feature")
        for segment_id, part in profiles.groupby("segment_id")
    }
    alone = {rule.action for rule in rules if rule.alone}
    rows = []
    for segment in segments.to_dict("records"):
        profile = by_segment.get(int(segment["segment_id"]), profiles.iloc[:0])
        figures = _segment_figures({str(k): v for k, v in segment.items()}, segments, profile)
        answer = (
            label if label in profile.index and speech.kinds.get(str(label)) == "boolean" else None
        )
        if answer is not None:
            figures["label_lift"] = _figure(dict(profile.loc[answer].items()), "lift")
        texts = [
            result
            for rule in rules
            if (result := _advice_of(rule, profile, figures, speech, answer)) is not None
        ]
        if bool(segment["is_small"]):
            texts = [row for row in texts if row[0] == "small_segment"]
        elif bool(segment.get("is_withheld")):
            texts = [NOT_ADVISED]
        else:
            texts = [row for row in texts if row[0] in alone][:1] or texts
        for priority, (action, advice, because) in enumerate(texts[:MOST_ACTIONS], start=1):
            rows.append((segment, priority, action, advice, because))
    return pd.DataFrame(
        [
            (segment["partition"], segment["segment_id"], priority, action, advice, because)
            for segment, priority, action, advice, because in rows
        ],
        columns=["partition", "segment_id", "priority", "action", "advice", "because"],
    )


def _read(path: Path) -> list[AdviceRule]:
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).rule
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: not readable as TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StudyError(f"{path}: {where}: {first['msg']}") from error


def _segment_figures(
    segment: Mapping[str, Any], segments: pd.DataFrame, profile: pd.DataFrame
) -> dict[str, float]:
    # What a segment is worth is seen within its partition: profiles are, too.
    figures = {name: segment[name] for name in ("size", "share", "stability")}
    figures["is_small"] = float(bool(segment["is_small"]))
    spend = _first(WORTH_OF, profile)
    mates = segments.loc[segments["partition"] == segment["partition"], "size"].sum()
    if spend is not None:
        figures["worth"] = profile.loc[spend, "total_share"] / (segment["size"] / mates)
    return {name: float(value) for name, value in figures.items()}


def _advice_of(
    rule: AdviceRule,
    profile: pd.DataFrame,
    figures: Mapping[str, float],
    speech: Speech,
    label: str | None = None,
) -> tuple[str, str, str] | None:
    reasons, subjects = [], []
    for condition in rule.when:
        result = _reason(condition, profile, figures, speech, label)
        if result is None:
            return None
        reasons.append(result[0])
        subjects.append(result[1])
    what = next((subject for subject in subjects if subject), "")
    return rule.action, rule.advice.format(what=what), "; ".join(reasons)


def _reason(
    condition: Condition,
    profile: pd.DataFrame,
    figures: Mapping[str, float],
    speech: Speech,
    label: str | None,
) -> tuple[str, str] | None:
    # What led to the advice, and the column in words; None where the condition does not hold.
    if condition.segment is not None:
        value = figures.get(condition.segment, float("nan"))
        if not condition.holds(value):
            return None
        words = _segment_words(condition.segment, value)
        if condition.segment != "label_lift" or label is None:
            return words, ""
        text, subject = _beside_all(label, dict(profile.loc[label].items()), speech)
        return f"{text}, {words}", subject
    feature = _first(condition.feature, profile)
    if feature is None:
        return None
    row = dict(profile.loc[feature].items())
    value = _figure(row, condition.figure)
    if not condition.holds(value):
        return None
    text, words = _beside_all(feature, row, speech)
    if condition.figure in FIGURE_WORDS:
        words_of_figure = FIGURE_WORDS[condition.figure].format(value=value)
        is_none = condition.figure == "z" and round(value, 1) == 0
        text += "" if is_none else f", {words_of_figure}".replace("-", MINUS)
    return text, words


def _segment_words(figure: SegmentFigure, value: float) -> str:
    if figure == "size":
        return plural(round(value), "member")
    return SEGMENT_WORDS[figure].format(value=value)


def _beside_all(feature: str, row: Mapping[Any, Any], speech: Speech) -> tuple[str, str]:
    # A column's mean here and among all, and the column in words.
    words = speech.vocabulary.called(feature)
    if speech.kinds.get(feature) == "boolean":
        words = speech.vocabulary.yes_or_no(feature, True).words
    is_part = speech.kinds.get(feature) == "boolean" or "=" in feature
    mean, everybody = (
        speech.vocabulary.value(feature, float(row[name]), is_part)
        for name in ("mean", "population_mean")
    )
    everybody = everybody.removesuffix(speech.vocabulary.unit(feature))
    return f"{words} {mean} (all {everybody})", words


def _first(patterns: list[str] | tuple[str, ...], profile: pd.DataFrame) -> str | None:
    # A column that the source cannot give is not in the profile.
    for pattern in patterns:
        for feature in profile.index:
            if fnmatchcase(str(feature), pattern):
                return str(feature)
    return None


def _figure(row: Mapping[Any, Any], figure: Figure) -> float:
    if figure == "mean_to_median":
        return float(row["mean"] / row["median"]) if row["median"] > 0 else float("nan")
    if figure == "lift":
        everybody = float(row["population_mean"])
        return float(row["mean"]) / everybody if everybody > 0 else float("nan")
    return float(row[figure])
