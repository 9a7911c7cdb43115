"""A setting that the project's own tables and views would not keep is refused, never dropped."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from models_py.base import settings
from tests.warehouse.dbt_runs import Run, Warehouse

REFUSED = {
    "grants": "grants={'select': ['analyst']}",
    "contract.enforced": "contract={'enforced': true}",
    "persist_docs": "persist_docs={'relation': true}",
    "indexes": "indexes=[{'columns': ['id']}]",
    "sql_header": "sql_header='set threads = 1;'",
    "partitioned_by": "partitioned_by=['id']",
    "partition_by": "partition_by=['id']",
    "sorted_by": "sorted_by=['id']",
    "sort_by": "sort_by=['id']",
}
KINDS = ("table", "view")
PROJECT = """
name: segmenthouse
profile: segmenthouse
flags: {send_anonymous_usage_stats: false}
"""
PROFILE = """
segmenthouse:
  target: duckdb
  outputs: {duckdb: {type: duckdb, path: "%s", threads: 1}}
"""
MODELS = """
models:
  - name: %s
    columns: [{name: id, data_type: integer}]
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """One dbt run over a table and a view for each setting, and one of each without any."""
    home = tmp_path_factory.mktemp("materializations")
    (home / "models").mkdir()
    (home / "macros").mkdir()
    shutil.copy(settings.dbt_project_dir() / "macros" / "materializations.sql", home / "macros")
    (home / "dbt_project.yml").write_text(PROJECT)
    (home / "profiles.yml").write_text(PROFILE % (home / "made.duckdb"))
    for kind in KINDS:
        for setting, config in {"kept": "tags=['plain']", **REFUSED}.items():
            name = f"{kind}_{setting.replace('.', '_')}"
            text = f"{{{{ config(materialized='{kind}', {config}) }}}}\nselect 1 as id\n"
            (home / "models" / f"{name}.sql").write_text(text)
            if setting == "contract.enforced":
                (home / "models" / f"{name}.yml").write_text(MODELS % name)
    return Warehouse(home).dbt("run", cwd=home), home / "made.duckdb"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", REFUSED)
def test_setting_is_refused(run: tuple[Run, Path], setting: str, kind: str) -> None:
    done, _ = run
    name = f"{kind}_{setting.replace('.', '_')}"

    assert done.code == 1
    assert done.lines_with(f"{setting} of model {name} would be dropped"), done.text


def test_only_models_without_such_a_setting_are_made(run: tuple[Run, Path]) -> None:
    _, path = run
    with duckdb.connect(str(path), read_only=True) as connection:
        made = connection.execute("select table_name from information_schema.tables").fetchall()

    assert sorted(name for (name,) in made) == ["table_kept", "view_kept"]
