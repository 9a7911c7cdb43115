"""The components of a mixture as SQL: which one a row most probably comes from, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.sql_text import number

IMPOSSIBLE = -1e300
"""Log density where it is minus infinity, which SQL has no literal for."""


@dataclass(frozen=True, eq=False)
class MixtureNumber:
    """A feature as a mixture sees it.

    Attributes
    ----------
    place
        Of the feature.
    center, spread
        It is scaled by them.
    levels, scores
        Values that stand for scores, with lines between them; empty where a value is itself.
    """

    place: int
    center: float
    spread: float
    levels: FloatArray
    scores: FloatArray


@dataclass(frozen=True, eq=False)
class MixtureWord:
    """Features that tell which word a row has, and what each word says of the components.

    Attributes
    ----------
    tests
        Place of a feature and the value above which a row has word 1, 2, ...; else it has word 0.
    logs
        Shape (components, words): log of each word's share.
    """

    tests: Sequence[tuple[int, float]]
    logs: FloatArray


@dataclass(frozen=True, eq=False)
class Components:
    """A mixture, whose log densities are ``offset - |root (row - mean)|² / 2`` and its words'.

    Attributes
    ----------
    groups, offsets, means
        Shapes (c,), (c,) and (c, d).
    roots
        Shape (c, d, d), or (1, d, d) where all components have one.
    numbers
        What the d numbers of a row are; None where they are its coordinates.
    words
        Its words.
    """

    groups: IntArray
    offsets: FloatArray
    means: FloatArray
    roots: FloatArray
    numbers: Sequence[MixtureNumber] | None = None
    words: Sequence[MixtureWord] = ()


Step = tuple[list[str], list[str]]
"""Names and expressions of columns that are selected from those of the step before."""


def component_steps(components: Components, names: Sequence[str]) -> list[Step]:
    """Return the steps from a row's columns to ``density_1``, ``density_2``, ....

    Parameters
    ----------
    components
        The mixture.
    names
        Columns of the step before: the features, or the coordinates.
    """
    steps: list[Step] = []
    words = [f"word_{place}" for place in range(1, len(components.words) + 1)]
    numbers = list(names)
    if components.numbers is not None:
        numbers = [f"number_{place}" for place in range(1, len(components.numbers) + 1)]
        made = [_number(each, names[each.place]) for each in components.numbers]
        codes = [_code(word, names) for word in components.words]
        steps.append(([*numbers, *words], [*made, *codes]))
    apart = [f"apart_{c}" for c in range(1, len(components.offsets) + 1)]
    if len(components.roots) == 1:
        means = components.means @ components.roots[0].T
        white = [f"white_{i}" for i in range(1, len(numbers) + 1)]
        rows = [_weighted(root, numbers) for root in components.roots[0]]
        steps.append(([*white, *words], [*rows, *words]))
        squares = [_squares(white, mean) for mean in means]
    else:
        white, rows = [], []
        for c, (root, mean) in enumerate(zip(components.roots, components.means, strict=True), 1):
            white += [f"white_{c}_{i}" for i in range(1, len(numbers) + 1)]
            rows += [
                f"{_weighted(weights, numbers)} + {number(-float(weights @ mean))}"
                for weights in root
            ]
        steps.append(([*white, *words], [*rows, *words]))
        d = len(numbers)
        nothing = np.zeros(d)
        squares = [_squares(white[c * d : (c + 1) * d], nothing) for c in range(len(apart))]
    densities = [
        " + ".join(
            [number(max(float(offset), IMPOSSIBLE)), f"-5e-1 * ({square})", *_words(components, c)]
        )
        for c, (offset, square) in enumerate(zip(components.offsets, squares, strict=True))
    ]
    steps.append(([f"density_{c}" for c in range(1, len(apart) + 1)], densities))
    return steps


def most_probable(components: Components) -> str:
    """Return the group of the likeliest component, of ``density_1``, ``density_2``, ...."""
    names = _densities(components)
    if len(names) == 1:
        return str(int(components.groups[0]))
    cases = " ".join(
        f"when {name} then {int(group)}"
        for name, group in zip(names, components.groups, strict=True)
    )
    return f"case greatest({', '.join(names)}) {cases} end"


def probability(components: Components, groups: int) -> str:
    """Return the probability of the group ``group_number``, 0..1."""
    names = _densities(components)
    top = f"greatest({', '.join(names)})" if len(names) > 1 else names[0]
    shares = [f"exp({name} - {top})" for name in names]
    cases = []
    for group in range(groups):
        own = [s for s, of in zip(shares, components.groups, strict=True) if of == group]
        cases.append(f"when {group} then ({' + '.join(own or ['0e0'])})")
    return f"case group_number {' '.join(cases)} end / ({' + '.join(shares)})"


def _densities(components: Components) -> list[str]:
    return [f"density_{c}" for c in range(1, len(components.offsets) + 1)]


def _number(each: MixtureNumber, name: str) -> str:
    value = name if not each.levels.size else _between(name, each.levels, each.scores)
    return f"({value} - {number(each.center)}) / {number(each.spread)}"


def _between(name: str, levels: FloatArray, scores: FloatArray) -> str:
    """Lines between the levels, level beyond the first and the last."""
    cases = [f"when {name} <= {number(levels[0])} then {number(scores[0])}"]
    for low, high, start, end in zip(levels, levels[1:], scores, scores[1:], strict=False):
        slope = (end - start) / (high - low)
        cases.append(
            f"when {name} < {number(high)}"
            f" then {number(slope)} * ({name} - {number(low)}) + {number(start)}"
        )
    return f"case {' '.join(cases)} else {number(scores[-1])} end"


def _code(word: MixtureWord, names: Sequence[str]) -> str:
    cases = " ".join(
        f"when {names[place]} > {number(edge)} then {code}"
        for code, (place, edge) in enumerate(word.tests, 1)
    )
    return f"case {cases} else 0 end" if cases else "0"


def _words(components: Components, c: int) -> list[str]:
    texts = []
    for place, word in enumerate(components.words, 1):
        cases = " ".join(
            f"when {code} then {number(max(float(log), IMPOSSIBLE))}"
            for code, log in enumerate(word.logs[c])
        )
        texts.append(f"case word_{place} {cases} else 0e0 end")
    return texts


def _weighted(weights: FloatArray, names: Sequence[str]) -> str:
    terms = [
        f"{number(weight)} * {name}"
        for weight, name in zip(weights, names, strict=True)
        if weight != 0.0
    ]
    return " + ".join(terms) if terms else "0e0"


def _squares(names: Sequence[str], at: FloatArray) -> str:
    parts = [
        f"({name} - {number(value)}) * ({name} - {number(value)})" if value else f"{name} * {name}"
        for name, value in zip(names, at, strict=True)
    ]
    return " + ".join(parts) if parts else "0e0"
