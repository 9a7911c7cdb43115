"""Quick tests of values: they spare a slow expression only where it would say the same."""

import duckdb
import pytest

from models_py.base.sql_text import literal
from models_py.database.reading.expressions import is_loose_sql, missing_word_sql, tight_sql
from models_py.sources.reading.words import MISSING, MISSING_IN_IDS, MISSING_IN_TEXT, TOTAL_LETTERS

VALUES = ["", " ", "a", " a", "a ", "\ta", "a\t", "é", " é", "é ", "\u00a0é", "é\u00a0", "\u3000a",
          "a\u3000", "a b", "na", "NA", " n/a ", "N/A\t", "-", "--", "\\N", "#NULL!", "Nan", "nana",
          "keine Angabe", "Köln", "0"]  # fmt: skip


def _asked(expression: str) -> list[tuple[object, ...]]:
    rows = ", ".join(f"({literal(value)})" for value in VALUES)
    return duckdb.sql(f"select value, {expression} from (values {rows}) as made(value)").fetchall()


def test_a_value_that_is_not_loose_is_its_own_trimmed_text() -> None:
    asked = _asked(f"{is_loose_sql('value')}, trim(value), {tight_sql('value', ['NA'])}")
    tight = [row for row in asked if not row[1]]
    assert {"a", "é", "a b", "Köln", "0"} <= {row[0] for row in tight}
    assert all(row[0] == row[2] != "" for row in tight)
    assert all(row[3] == (None if row[0] == "NA" else row[0]) for row in tight)


@pytest.mark.parametrize("words", [MISSING, MISSING_IN_IDS, MISSING_IN_TEXT])
def test_a_word_for_no_value_is_found_however_it_is_written(words: frozenset[str]) -> None:
    found = {row[0] for row in _asked(missing_word_sql("value", words)) if row[1]}
    assert found == {value for value in VALUES if value.strip().lower() in words}


def test_every_word_of_a_total_begins_with_one_of_the_letters() -> None:
    words = ("grand total", "Subtotal", "Gesamt", "insgesamt", "Summe", "somme", "Total", "average",
             "mean", "Durchschnitt", "moyenne", "promedio", "gemiddelde", " totals")  # fmt: skip
    assert all(word[0] in TOTAL_LETTERS for word in words)
