from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from models_py.base.errors import WarehouseError
from models_py.database.maintenance.naming import BACKUP, TEMP, load_rules, matches

RULES = load_rules()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tmp_customers", TEMP),
        ("customers_tmp", TEMP),
        ("TEMP_customers", TEMP),
        ("Customers_Temp", TEMP),
        ("temp", TEMP),
        ("my tmp", TEMP),
        ("shop.temp", TEMP),
        ("customers__dbt_tmp", TEMP),
        ("customers__DBT_TMP20250131120000123456", TEMP),
        ("customers__dbt_int", TEMP),
        ("__dbt_python_model_df_customers", TEMP),
        ("customers_old", BACKUP),
        ("customers_backup", BACKUP),
        ("BACKUP_customers", BACKUP),
        ("customers_bak", BACKUP),
        ("customers_20250131", BACKUP),
        ("customers_2025_01_31", BACKUP),
        ("customers-2025-01-31", BACKUP),
        ("20250131_customers", BACKUP),
        ("customers_20250131_120000", BACKUP),
        ("customers_20250131T120000", BACKUP),
        ("customers_backup_20250131_120000", BACKUP),
        ("customers_old_20250131", BACKUP),
        ("customers__dbt_backup", BACKUP),
        ("tmp_customers_20250131", TEMP),
        ("kunden_größe_tmp", TEMP),
    ],
)
def test_whole_words_and_dates_count(name: str, kind: str) -> None:
    verdict = RULES.judge(name)
    assert verdict is not None
    assert verdict.kind == kind
    assert verdict.reason


@pytest.mark.parametrize(
    "name",
    [
        "template",
        "temperature",
        "customers_2020s",
        "customers_2020",
        "customers_20250230",
        "customers_20251301",
        "customers_1234567890",
        "order_12345678",
        "contemporary",
        "attempt",
        "household",
        "threshold",
        "gold",
        "bold",
        "backups_taken",
        "temps",
        "stmp",
        "tmpfile",
        "mid_tmp_table",
        "old_customers",
        "customers_latest",
        "x_" + "".join(chr(0xFF10 + int(digit)) for digit in "20250131"),
        "é20250131",
        "",
    ],
)
def test_parts_of_words_do_not_count(name: str) -> None:
    assert RULES.judge(name) is None


def test_a_verdict_carries_the_day() -> None:
    verdict = RULES.judge("customers_backup_20250131_120000")
    assert verdict is not None
    assert verdict.dated == date(2025, 1, 31)


@settings(max_examples=2000, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_a_listed_name_holds_a_rules_word_or_a_date(name: str) -> None:
    if RULES.judge(name) is not None:
        words = re.split(r"[\W_]+", name.lower())
        assert {"tmp", "temp", "old", "bak", "backup"} & set(words) or re.search(r"[0-9]{4}", name)


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.sampled_from(["tmp", "temp", "old", "bak"]))
def test_a_word_glued_to_letters_is_no_word(letters: str, word: str) -> None:
    glued = letters + word
    if glued not in {"tmp", "temp", "old", "bak", "backup"}:
        assert RULES.judge(glued) is None


def test_a_user_extends_and_protects(tmp_path: Path, home: Path) -> None:
    (home / "cleanup_rules.toml").write_text(
        '[[rule]]\nclass = "temp"\nreason = "scratch"\nfirst_word = ["scratch"]\n'
        '[protect]\nrelations = ["gold.tmp_*", "keep_*"]\n'
    )
    rules = load_rules()
    verdict = rules.judge("Scratch_customers")
    assert verdict is not None
    assert verdict.kind == TEMP
    assert rules.judge("tmp_x") is not None
    assert rules.protects("gold", "TMP_weather")
    assert not rules.protects("silver", "tmp_weather")
    assert rules.protects("silver", "keep_tmp")
    assert RULES.judge("scratch_customers") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule]]\nclas = 'temp'", "unknown key 'clas'; did you mean 'class'?"),
        ("[[rule]]\nclass = 'tmp'\ndate = true", "class must be 'temp' or 'backup', not 'tmp'"),
        ("[[rule]]\nclass = 'temp'", "rule 1 fits no name"),
        ("[[rule]]\nclass = 'temp'\npattern = '('", "rule 1 pattern"),
        ("[[rule]]\nclass = 'temp'\nlast_word = 'x'", "last_word must be a list of texts"),
        ("[[rule]]\nclass = 'temp'\nlast_word = ['a_b']", "'a_b' is not one word"),
        ("[[rule]]\nclass = 'temp'\ndate = 'yes'", "date must be true or false"),
        ("[rule]\nclass = 'temp'", "[[rule]]"),
        ("protect = 3", "[protect] must be a section"),
        ("[protect]\ntables = []", "unknown key 'tables'"),
        ("rule = ", "is not readable as TOML"),
    ],
)
def test_a_wrong_rules_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(WarehouseError) as error:
        load_rules(file)
    assert "mine.toml" in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_rules_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="cannot read the rules"):
        load_rules(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("pattern", "schema", "name", "fits"),
    [
        ("gold.tmp_*", "gold", "tmp_a", True),
        ("tmp_*", "gold", "tmp_a", True),
        ("GOLD.*", "gold", "Tmp_a", True),
        ("silver.*", "gold", "tmp_a", False),
        ("gold.a?c", "gold", "abc", True),
        ("a[b", "gold", "a[b", True),
        ("a[bc]", "gold", "ab", False),
    ],
)
def test_patterns(pattern: str, schema: str, name: str, fits: bool) -> None:
    assert matches(pattern, schema, name) is fits
