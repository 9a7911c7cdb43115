"""What a column is by its name: an outcome, a code, a part of a date."""

from __future__ import annotations

import re
import unicodedata

OUTCOMES = frozenset(
    {
        "label", "target", "segment", "segmentation", "cluster", "class", "y", "outcome", "exited",
        "churn", "churned", "churner", "attrition", "attrited", "abgewandert", "gekuendigt",
        "gekundigt", "kuendigung", "kundigung", "resilie", "resiliation", "desabonne", "abandono",
        "abbandono", "opgezegd", "evasao",
    }
)  # fmt: skip
"""Words of an outcome, whatever the column holds."""

OUTCOMES_OF_TWO = frozenset(
    {
        "default", "defaulted", "defaulter", "response", "responded", "responder", "converted",
        "conversion", "cancelled", "canceled", "cancellation", "subscribed", "unsubscribed",
        "subscription", "deposit", "closed", "lapsed", "left", "lost", "fraud", "renewed",
        "retained", "bought", "purchased", "purchase", "clicked", "bad", "won", "approved",
        "accepted", "storniert", "storno", "ausfall", "ausgefallen", "defaut", "baja", "cancelado",
        "fuga", "impago", "moroso", "disdetta", "cancelou", "inadimplente", "geantwortet",
        "reagiert", "abonniert", "konvertiert",
    }
)  # fmt: skip
"""Words of an outcome in a column of two values; a number of them is a feature."""

STEMS = ("churn", "attrit")

CODES = frozenset(
    {
        "sex", "gender", "geschlecht", "sexe", "sexo", "branch", "filiale", "store", "shop",
        "outlet", "office", "warehouse", "region", "area", "district", "county", "state",
        "province", "country", "land", "city", "zone", "territory", "department", "dept",
        "division", "category", "type", "kind", "code", "cd", "status", "stage", "channel",
        "group", "sector", "industry", "occupation", "job", "profession", "education", "marital",
        "marriage", "race", "ethnicity", "language", "nationality", "campaign", "agent", "title",
        "salutation", "anrede", "color", "colour", "flag", "zip", "zipcode", "postcode", "postal",
        "plz", "postleitzahl", "pincode",
    }
)  # fmt: skip
"""What a column of whole numbers numbers, where its name ends with the word."""

PHONES = frozenset(
    {"phone", "telephone", "telefon", "tel", "mobile", "cell", "cellphone", "fax", "handy"}
)
NUMBERED = frozenset({"id", "code", "cd", "no", "nr", "number", "num", "key"})
"""Words behind the word that says what is numbered: ``branch_no``."""

DATE_PARTS = {
    "year": (1900, 2100), "jahr": (1900, 2100), "annee": (1900, 2100),
    "quarter": (1, 4), "quartal": (1, 4),
    "month": (0, 12), "monat": (0, 12), "mois": (0, 12), "mes": (0, 12),
    "week": (0, 53), "woche": (0, 53), "kw": (0, 53), "semaine": (0, 53),
    "day": (0, 31), "tag": (0, 31), "dayofmonth": (1, 31), "dayofyear": (0, 366),
    "weekday": (0, 7), "dow": (0, 7), "dayofweek": (0, 7), "wochentag": (0, 7),
    "hour": (0, 24), "stunde": (0, 24), "minute": (0, 60),
}  # fmt: skip
"""Parts of a date or time with the values that they can have."""

OF_A_SPAN = frozenset(
    {
        "per", "each", "every", "last", "past", "previous", "prior", "this", "next", "within",
        "pro", "je", "letzte", "letzten", "letzter", "letztes", "par", "chaque", "dernier",
        "derniere", "por", "cada", "ultimo", "ultima", "al",
    }
)  # fmt: skip
"""Words before a part of a date that make a span of it, in which something was counted."""

BIRTHS = frozenset({"birth", "born", "dob", "geburt", "geburtsjahr", "naissance", "nacimiento"})

NEVER_ZERO = frozenset(
    {
        "age", "alter", "edad", "height", "weight", "bmi", "pressure", "bloodpressure", "glucose",
        "pulse", "temperature", "year", "groesse", "gewicht", "postcode", "zip", "plz",
    }
)  # fmt: skip
"""What cannot be 0."""


def words_of_name(name: str) -> list[str]:
    """Return the words of a column's name, in small letters without accents.

    Examples
    --------
    >>> words_of_name("default.payment.nextMonth")
    ['default', 'payment', 'next', 'month']
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    plain = unicodedata.normalize("NFKD", spaced.replace("ß", "ss")).lower()
    return re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))


def is_outcome(name: str, distinct: int) -> bool:
    """Whether a column is an outcome by its name."""
    words = set(words_of_name(name))
    if words & OUTCOMES or any(word.startswith(STEMS) for word in words):
        return True
    return distinct <= 2 and bool(words & OUTCOMES_OF_TWO)


def numbered(name: str) -> str | None:
    """Return what a column of whole numbers numbers by its name, such as ``"branch"``.

    Examples
    --------
    >>> numbered("home_branch_no"), numbered("store_visits"), numbered("status")
    ('branch', None, 'status')
    """
    words = words_of_name(name)
    while len(words) > 1 and words[-1] in NUMBERED:
        words = words[:-1]
    if not words:
        return None
    return words[-1] if words[-1] in CODES | PHONES else None


def part_of_date(name: str) -> tuple[str, str] | None:
    """Return the date that a column is a part of, and the part.

    Examples
    --------
    >>> part_of_date("joined_month"), part_of_date("month"), part_of_date("months")
    (('joined', 'month'), ('', 'month'), None)

    An amount of a span of time is none: ``visits_per_month``, ``spend_last_week``.
    """
    words = words_of_name(name)
    if not words or words[-1] not in DATE_PARTS or set(words) & BIRTHS:
        return None
    if len(words) > 2 and words[-2] in OF_A_SPAN:
        return None
    return "_".join(words[:-1]), words[-1]
