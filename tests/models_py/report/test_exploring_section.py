"""What a page says of the data themselves, against an independent computation."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest
from report_house import customers, run, study, write_gold

from models_py.report.facts import Facts, read_facts
from models_py.report.sections.data import number_columns
from models_py.report.sections.exploring import (
    correlation_ratio,
    exploring_section,
    findings,
    word_columns,
    words_beside_numbers,
)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """A labelled run, not explained or reported."""
    folder = tmp_path_factory.mktemp("explored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGMENTHOUSE_HOME", str(folder))
        path = write_gold(folder / "data" / "segmenthouse.duckdb", customers())
        recipe = study(label="planted")
        return read_facts(run(path, recipe).run_id, path)


def test_the_label_and_words_stand_with_their_shares(facts: Facts) -> None:
    section = exploring_section(facts)
    (figure,) = section.figures
    assert figure.table is not None
    shown = {row[0]: row for row in figure.table.rows}
    frame = customers()
    kept = frame["region"].value_counts(normalize=True)
    assert f"{kept.index[0]} {kept.iloc[0]:.0%}" in shown["region"][2]
    assert next(iter(shown)) == facts.called("planted")
    first = frame["planted"].value_counts(normalize=True)
    assert section.points[0].startswith(f"The known answer, {facts.called('planted')}, is ")
    assert f"{first.index[0]} {first.iloc[0]:.0%}" in section.points[0]
    missing = frame["discount_share"].isna().mean()
    assert any(f"lacks a value in {missing:.0%} of the rows" in said for said in section.points)


def test_words_beside_numbers_are_those_of_duckdb(facts: Facts) -> None:
    frame = customers()
    ((expected,),) = duckdb.sql(
        "with means as (select home, count(*) n, avg(spend_amount) m from frame group by home)"
        " select (select sum(n * (m - (select avg(spend_amount) from frame)) ** 2) from means)"
        " / (select sum((spend_amount - (select avg(spend_amount) from frame)) ** 2) from frame)"
    ).fetchall()
    assert correlation_ratio(frame["home"], frame["spend_amount"]) == pytest.approx(expected)
    pairs = words_beside_numbers(word_columns(facts), facts.gold[number_columns(facts)])
    assert [pair.ratio for pair in pairs] == sorted((p.ratio for p in pairs), reverse=True)
    assert pairs[0].ratio > 0.1


def test_where_nothing_stands_out_nothing_is_said(facts: Facts) -> None:
    plain = np.tile([0.0, 1.0, 2.0, 3.0], 90)[: len(facts.gold)]
    words = pd.DataFrame({"region": np.repeat(["a", "b"], 180)[: len(facts.gold)]})
    numbers = pd.DataFrame({"spend_amount": plain})
    unlabelled = replace(facts, study=facts.study.model_copy(update={"label": None}))
    assert findings(unlabelled, words, numbers) == ["No column of numbers lacks a value."]


def test_rare_words_are_not_named(facts: Facts) -> None:
    changed = facts.categories.copy()
    changed.loc[changed.index[:3], "region"] = "secret"
    section = exploring_section(replace(facts, categories=changed))
    assert section.figures[0].table is not None
    said = " ".join(" ".join(row) for row in section.figures[0].table.rows)
    assert "secret" not in said
    assert "(rare categories)" in said
