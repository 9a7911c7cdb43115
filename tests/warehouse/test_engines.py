"""What differs between engines stands in dispatched macros alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models_py.base import settings

PROJECT = settings.dbt_project_dir()
DUCKDB_WORDS = (
    r"\bvarchar\b", r"\bhugeint\b", r"::", r"\bread_(parquet|csv)\b", r"\bglob\(", r"\bepoch\w*\(",
    r"\bgetvariable\b", r"\bexclude\s*\(", r"\btry_strptime\b", r"(?<!\.)\bstr[fp]time\b",
    r"\bmake_(date|time|timestamp)\b", r"\bisodow\b", r"\bto_(hours|days|months|years)\b",
    r"\bunnest\(", r"\blist_(?!length)\w+\(", r"\blen\(", r"\bquantile\w*\(", r"\barg_(max|min)\b",
    r"\bregexp_matches\b", r"\bgenerate_series\b", r"\bcopy \(", r"//", r"\bby name\b",
    r"\bpivot\b", r"\bover \(\)", r"\bignore nulls\b", r"\bstrpos\b", r"\benum\(", r"\btimezone\(",
    r"\bavg\(\w*\.?\w*amount\)", r"\b\d+\.\d+ \*",
)  # fmt: skip
SPARK_WORDS = (
    r"\bexplode\(", r"\btimestamp_(ntz|ltz|seconds|micros)\b", r"\bunix_micros\b", r" div ",
    r"\brlike\b", r"\.`", r"\btry_to_timestamp\b", r"\b_metadata\b", r"\btypeof\(",
    r"\bmonotonically_increasing_id\b", r"\bexcept\s*\(\w", r"\busing csv\b",
)  # fmt: skip
ENGINE_WORDS = re.compile("|".join((*DUCKDB_WORDS, *SPARK_WORDS)), re.IGNORECASE)
OF_ONE_ENGINE = {
    PROJECT / "macros" / name for name in ("materializations.sql", "spark.sql", "grocery/weeks.sql")
}
OF_CUSTOM_ALONE = {"column_word", "one_column_each"}
"""What only a log of the user's own needs, which is a table of the DuckDB file."""

LEFT_OUT = (
    r"\{#.*?#\}",
    r"--[^\n]*",
    r"\{% macro (default|duckdb|spark)__.*?\{%-? endmacro %\}",
    r"\{\{-?\s*config\(.*?\}\}",
)


def shared_text(text: str) -> str:
    """Return what every engine reads of a file: without comments and macros of one engine."""
    for pattern in LEFT_OUT:
        text = re.sub(pattern, lambda left: "\n" * left[0].count("\n"), text, flags=re.DOTALL)
    return text


def engine_words(text: str) -> list[str]:
    lines = enumerate(shared_text(text).splitlines(), start=1)
    return [f"line {n}: {word[0]}" for n, line in lines for word in ENGINE_WORDS.finditer(line)]


def shared_files() -> list[Path]:
    files = [
        file for room in ("models", "macros", "tests") for file in PROJECT.glob(f"{room}/**/*.sql")
    ]
    return sorted(set(files) - OF_ONE_ENGINE)


def test_no_model_macro_or_test_has_words_of_one_engine() -> None:
    files = shared_files()
    found = {file.relative_to(PROJECT).as_posix(): engine_words(file.read_text()) for file in files}
    assert len(files) > 100
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "text",
    [
        "select cast(a as varchar) from b",
        "select * exclude (a) from b",
        "select a::bigint from b",
        "select explode(a) from b",
        "select * from parquet.`/a`",
        "{% macro shared() %}\nepoch_us(a) // 10\n{% endmacro %}",
        "select avg(spend_amount) from b",
    ],
)
def test_a_word_of_one_engine_is_seen(text: str) -> None:
    assert engine_words(text)


def test_words_in_comments_and_in_macros_of_one_engine_are_none() -> None:
    text = "{# varchar #}\n-- explode(a)\n{% macro default__a() -%}\nunnest(b)\n{%- endmacro %}\n"
    assert engine_words(text) == []


def test_every_dispatched_macro_has_both_sides() -> None:
    text = "\n".join(file.read_text() for file in (PROJECT / "macros").glob("**/*.sql"))
    dispatched = set(re.findall(r"adapter\.dispatch\('(\w+)', 'segmenthouse'\)", text))
    written = set(re.findall(r"\{% macro (\w+)\(", text))
    assert len(dispatched) > 20
    assert {name for name in dispatched if f"default__{name}" not in written} == set()
    assert {name for name in dispatched if f"spark__{name}" not in written} == OF_CUSTOM_ALONE
