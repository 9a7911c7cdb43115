"""What is said of a dbt build that failed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from models_py.database.dbt import build_command, first_error

FAILED = """\
23:01:02  1 of 3 OK created sql view model bronze.lines
23:01:03  2 of 3 ERROR creating sql table model   gold.shop_customers
23:01:04  Runtime Error in model gold_shop_customers: no file
"""


@pytest.mark.parametrize(
    ("output", "errors", "words"),
    [
        (FAILED, "", "2 of 3 ERROR creating sql table model gold.shop_customers"),
        ("23:01:02  Finished\n", "Traceback\nKeyError: 'dbt'\n", "KeyError: 'dbt'"),
        ("23:01:02  \n23:01:03  stopped\n", "", "stopped"),
        ("", "", "it said nothing"),
        ("Error " + "x" * 999, "", "Error " + "x" * 294),
    ],
)
def test_the_first_error_is_one_line(output: str, errors: str, words: str) -> None:
    ended = subprocess.CompletedProcess(["dbt"], 1, output, errors)
    assert first_error(ended) == words


def test_unit_tests_are_left_out_unless_somebody_says_what_is() -> None:
    usual = build_command(["--selector", "bank"], Path("home"), Path("profiles"))
    assert usual[usual.index("--exclude-resource-type") + 1] == "unit_test"
    asked = build_command(["--resource-type", "unit_test"], Path("home"), Path("profiles"))
    assert "--exclude-resource-type" not in asked
