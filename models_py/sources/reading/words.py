"""Words in files that stand for something else: for no value, for yes and no, for a total."""

from __future__ import annotations

from collections.abc import Collection

MISSING = frozenset(
    {
        "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "null", "(null)", "none", "nil", "\\n",
        "-", "--", "---", "?", ".", "..", "*", "unknown", "missing", "(blank)", "blank", "void",
        "not available", "k.a.", "k. a.", "keine angabe", "n.d.", "nd", "s/o", "nulo", "nat",
        "#div/0!", "#value!", "#null!", "#ref!", "#num!", "#name?", "undefined", "unbekannt",
    }
)  # fmt: skip
"""In small letters; they stand for no value where numbers or dates are expected."""

MISSING_IN_TEXT = frozenset(
    {"n/a", "#n/a", "<na>", "nan", "null", "(null)", "\\n", "-", "--", "---", "?", "#null!"}
)
"""Those that stand for no value among words as well; others could be one, such as ``none``."""

MISSING_IN_IDS = frozenset({"null", "(null)", "\\n", "nan", "#n/a", "<na>"})
"""Those that are no id; ``NA`` could be one."""

TRUTHS = (
    ("yes", "no"),
    ("y", "n"),
    ("true", "false"),
    ("t", "f"),
    ("ja", "nein"),
    ("j", "n"),
    ("oui", "non"),
    ("o", "n"),
    ("si", "no"),
    ("s\u00ed", "no"),
    ("s", "n"),
    ("sim", "n\u00e3o"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
    ("vero", "falso"),
    ("verdadero", "falso"),
    ("tak", "nie"),
    ("ja", "nee"),
    ("ja", "nej"),
)
"""Words for yes and no, in small letters."""

TOTALS = (
    r"(grand |sub|sub-|gesamt)?(total|totals|sum|summe|gesamt|insgesamt|totale|totaal|somme|suma)"
    r"( general| g.n.ral)?:?"
    r"|averages?|avg|mean|median|durchschnitt|mittelwert|moyenne|promedio|gemiddelde"
)
"""Pattern, in small letters, of the first cell of a row of totals."""

TOTAL_LETTERS = " \t\n\r\f" + "".join(letter + letter.upper() for letter in "adgimpst")
"""What such a cell begins with."""


def truth_words(words: Collection[str]) -> tuple[str, str] | None:
    """Return the words for yes and no that a column's two words are, or None."""
    low = {word.strip().lower() for word in words}
    return next((pair for pair in TRUTHS if low == set(pair)), None)
