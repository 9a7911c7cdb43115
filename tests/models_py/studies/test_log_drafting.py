"""The study of a log: one view of each kind, every other column with its reason."""

from __future__ import annotations

import tomllib

from models_py.studies.drafting import Draft
from models_py.studies.loading import check_study
from models_py.studies.log_drafting import draft_log_features, draft_log_study
from models_py.studies.roles import Guess

COLUMNS = (
    "order_count",
    "order_lines_mean",
    "active_orders_per_week",
    "price_level",
    "recent_30_ratio",
    "tenure_days",
    "category_share",
    "category_count",
    "category_fruit_share",
    "category_other_share",
    "weekend_share",
    "workday_share",
    "order_hour_mean",
    "hour_evening_share",
    "expected_return_share",
)


def drafted(columns: tuple[str, ...] = COLUMNS) -> Draft:
    guesses = [Guess(name, "number", "number from 0 to 9") for name in columns]
    guesses.append(Guess("first_order_on", "left out", "date or time"))
    draft = Draft(
        "shop", "Shop", "gold.shop_customers", "customer_id", None, "", 900, guesses, "run it"
    )
    return draft_log_features(draft)


def test_takes_one_view_of_each_kind_and_says_why_not_the_others() -> None:
    reasons = {guess.name: guess.reason for guess in drafted().guesses if guess.role == "left out"}

    assert sorted(reasons) == [
        "category_count", "category_share", "first_order_on", "hour_evening_share", "order_count",
        "recent_30_ratio", "tenure_days",
    ]  # fmt: skip
    assert reasons["tenure_days"] == "when the customer came and went, not how they buy"
    assert reasons["order_count"].startswith("near to what the features say")
    assert reasons["first_order_on"] == "date or time"


def test_the_text_is_a_study_with_a_weight_for_each_whole() -> None:
    study = check_study({"name": "shop", **tomllib.loads(draft_log_study(drafted()))}, "text")

    assert study.features.compositions == {
        "categories": ["category_*_share"],
        "week": ["weekend_share", "workday_share"],
        "returns": ["expected_return_share"],
    }
    assert study.features.log1p == ["order_lines_mean", "active_orders_per_week", "price_level"]
    assert study.fit_at_least == {"order_count": 4}
    assert (study.choose.by, study.algorithms[0].name) == ("icl", "pooled_mixture")
    assert study.describe.measures == ["order_count", "tenure_days"]


def test_a_log_without_kinds_and_weekends_has_no_such_whole() -> None:
    study = check_study(
        {"name": "shop", **tomllib.loads(draft_log_study(drafted(("price_level",))))}, "text"
    )

    assert study.features.compositions == {}
    assert study.fit_at_least == {}
