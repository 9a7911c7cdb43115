"""Tables whose segments differ in numbers, in yes and no and in words, by exact shares."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from models_py.studies.study import ColumnWords

SEGMENTS, MEMBERS = 10, 40


@dataclass(frozen=True)
class SpokenTable:
    """Columns of a table: the middle and spread of numbers, the share of yes, words."""

    who: str
    numbers: dict[str, tuple[float, float]] = field(default_factory=dict)
    answers: dict[str, float] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    ordinal: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, ColumnWords] = field(default_factory=dict)


def planted_table(table: SpokenTable) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows and their segment: each segment differs in about three columns."""
    generator = np.random.default_rng(len(table.who))
    columns = [*table.numbers, *table.answers, *table.texts]
    parts = []
    for _ in range(SEGMENTS):
        differing = set(generator.choice(columns, 3, replace=False))
        part: dict[str, object] = {}
        for name, (middle, spread) in table.numbers.items():
            shift = generator.choice([-1.5, 1.5]) if name in differing else 0.0
            steps = np.linspace(-1, 1, MEMBERS)
            part[name] = np.maximum(middle + spread * (shift + generator.permutation(steps)), 0)
        for name, share in table.answers.items():
            wanted = generator.choice([0.0, 0.15, 0.7, 1.0]) if name in differing else share
            part[name] = generator.permutation(np.arange(MEMBERS) < round(wanted * MEMBERS))
        for name, texts in table.texts.items():
            part[name] = _texts(texts, name in differing, generator)
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True), np.repeat(np.arange(1, SEGMENTS + 1), MEMBERS)


def _texts(texts: list[str], is_differing: bool, generator: np.random.Generator) -> np.ndarray:
    values = np.resize(np.array(texts, dtype=object), MEMBERS)
    if is_differing:
        word, share = generator.choice(texts), generator.choice([0.55, 0.8, 1.0])
        values[: round(share * MEMBERS)] = word
    return generator.permutation(values)


LEVELS = ["Average", "High", "Low"]

TABLES = [
    SpokenTable(
        "customers",
        {
            "baskets_per_week": (1.3, 0.5),
            "basket_spend_mean": (32.0, 10.0),
            "category_effective_count": (53.0, 12.0),
            "discount_share": (0.15, 0.05),
            "own_label_share": (0.27, 0.08),
            "department_fuel_share": (0.1, 0.05),
            "weekend_share": (0.3, 0.1),
            "recency_days": (30.0, 12.0),
        },
        texts={"life_stage": ["YA", "YF", "OA", "OF", "PE"]},
    ),
    SpokenTable(
        "clients",
        {"age": (41.0, 8.0), "balance_amount": (1400.0, 500.0)},
        {"has_housing_loan": 0.55, "has_personal_loan": 0.2, "was_contacted_before": 0.2},
        {
            "job": ["management", "blue-collar", "technician", "retired", "services"],
            "education": ["primary", "secondary", "tertiary"],
            "marital_status": ["married", "single", "divorced"],
        },
        {"education": ["primary", "secondary", "tertiary"]},
    ),
    SpokenTable(
        "prospects",
        {"age": (43.0, 10.0), "family_size": (2.9, 0.8), "work_experience_years": (2.6, 1.5)},
        {"is_married": 0.6, "is_graduate": 0.6},
        {
            "spending_score": LEVELS,
            "gender": ["Female", "Male"],
            "profession": ["Artist", "Doctor", "Healthcare", "Lawyer"],
        },
        {"spending_score": LEVELS, "gender": ["Female", "Male"]},
    ),
    SpokenTable(
        "shoppers",
        {
            "returned_order_share": (0.14, 0.08),
            "returns_per_order": (0.16, 0.1),
            "active_month_share": (0.4, 0.15),
            "repeat_product_share": (0.2, 0.1),
            "recency_days": (90.0, 40.0),
            "order_count": (6.0, 2.0),
            "unit_price_mean": (12.0, 4.0),
            "days_to_return_mean": (14.0, 5.0),
        },
    ),
    SpokenTable(
        "subscribers",
        {
            "tenure_days": (400.0, 150.0),
            "monthly_fee_amount": (45.0, 12.0),
            "call_minutes": (210.0, 80.0),
        },
        {"has_contract": 0.5, "has_roaming": 0.3, "is_business": 0.2},
        {"plan": ["S", "M", "L"]},
        words={
            "plan": ColumnWords(values={"S": "small", "M": "medium", "L": "large"}),
            "call_minutes": ColumnWords(high="talk much", low="talk little"),
            "is_business": ColumnWords(yes="businesses", no="private"),
        },
    ),
    SpokenTable(
        "guests",
        {"night_count": (3.0, 1.0), "lead_days": (40.0, 15.0), "room_price_mean": (120.0, 30.0)},
        {"has_breakfast": 0.5, "is_repeated_guest": 0.2, "has_children": 0.25},
        {"country": ["Portugal", "France", "Spain"], "channel": ["direct", "agency", "corporate"]},
    ),
    SpokenTable(
        "stores",
        {
            "basket_spend_mean": (30.0, 8.0),
            "department_produce_share": (0.1, 0.03),
            "department_meat_share": (0.1, 0.03),
            "hour_evening_share": (0.25, 0.08),
            "customer_count": (800.0, 300.0),
            "own_label_share": (0.3, 0.06),
        },
        {"has_parking": 0.5, "is_open_on_sunday": 0.5},
    ),
    SpokenTable(
        "patients",
        {"age": (55.0, 12.0), "visit_count": (4.0, 1.5), "stay_days": (5.0, 2.0)},
        {"is_smoker": 0.3, "has_diabetes": 0.2, "is_insured": 0.7},
        {"ward": ["surgery", "medicine", "children"], "severity": ["1", "2", "3", "missing"]},
        {"severity": ["1", "2", "3", "missing"]},
    ),
    SpokenTable(
        "accounts",
        {"seat_count": (25.0, 10.0), "login_count": (90.0, 40.0), "ticket_count": (6.0, 3.0)},
        {"has_api_access": 0.4, "is_trial": 0.3, "was_discounted": 0.3},
        {"industry": ["retail", "finance", "health"], "tier": ["basic", "plus", "pro"]},
    ),
    SpokenTable(
        "members",
        {"age": (38.0, 9.0), "visits_per_week": (2.0, 0.7), "session_minutes": (60.0, 15.0)},
        {"has_trainer": 0.3, "is_student": 0.25},
        {"favourite_class": ["yoga", "spinning", "boxing"], "sex": ["F", "M"]},
    ),
]
