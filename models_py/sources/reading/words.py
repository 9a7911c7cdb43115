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
    ("ja", "nei"),
    ("kyll\u00e4", "ei"),
    ("\u0434\u0430", "\u043d\u0435\u0442"),
    ("\u0434\u0430", "\u043d\u0435"),
    ("evet", "hay\u0131r"),
    ("evet", "hayir"),
    ("igen", "nem"),
    ("ano", "ne"),
    ("da", "ne"),
    ("da", "nu"),
    ("\u03bd\u03b1\u03b9", "\u03cc\u03c7\u03b9"),
    ("\u306f\u3044", "\u3044\u3044\u3048"),
    ("\u662f", "\u5426"),
    ("\uc608", "\uc544\ub2c8\uc694"),
    ("\u0646\u0639\u0645", "\u0644\u0627"),
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


UNREAD = (
    (
        r"\d{4}.*\d:\d\d.* \[?[A-Za-z]+/[A-Za-z_/]+\]?",
        "times with the name of a zone: write offsets such as +01:00, or none with --time-zone",
    ),
    (
        r"\d{1,2}:\d\d(:\d\d)?,? +\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}",
        "times before their dates: write the date first",
    ),
    (
        r"\d{4}[- ]?([Qq][1-4]|[Ww]\d\d?)|([Qq][1-4]|[Ww]\d\d?)[-/ ]?\d{4}",
        "quarters or weeks: write their first day for dates",
    ),
    (
        r"\D{0,4}\d+([.,]\d+)? ?(K|k|M|B|bn|[Mm]io|[Mm]rd|[Tt]sd)\.?",
        "numbers with a word for thousands or millions: write them out",
    ),
    (
        r"(\d+ ?(d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)\.?,? ?)+"
        r"|\d{1,3}:[0-5]\d(:[0-5]\d([.,]\d+)?)?",
        "durations or times of day: write minutes as a number",
    ),
)
"""Patterns of values that are taken for words and are more, with what is said of them."""
