"""The boxes of each segment: the quartiles that SQL computes, and nothing of withheld ones."""

from __future__ import annotations

import pytest
from planted_gold import asked
from report_house import Reported

from models_py.report.facts import read_facts
from models_py.report.sections.distributing import MOST_FEATURES, distributions_section


def test_boxes_hold_the_quartiles_of_sql(explained: Reported) -> None:
    facts = read_facts(explained.run_id, explained.warehouse)
    section = distributions_section(facts)
    assert section is not None
    assert 3 <= len(section.figures) <= MOST_FEATURES
    figure = next(item for item in section.figures if item.key == "spread-basket_spend_mean")
    assert figure.table is not None
    expected = asked(
        explained.warehouse,
        "select segment_id, quantile_cont(basket_spend_mean, [0.25, 0.5, 0.75])"
        " from results.assignments join gold.grocery_customers on customer_id = entity_id"
        " where run_id = ? group by all",
        [explained.run_id],
    )
    shown = {
        row[0].partition(" ")[0]: [float(text) for text in row[1:]] for row in figure.table.rows
    }
    for segment_id, quartiles in expected:
        assert shown[str(segment_id)] == pytest.approx(quartiles, rel=0.01)
    facts.__dict__["withheld"] = {1}
    again = distributions_section(facts)
    assert again is not None
    assert again.figures[0].table is not None
    assert "1" not in {row[0].partition(" ")[0] for row in again.figures[0].table.rows}
    assert 'data-of="1"' not in again.figures[0].drawing
