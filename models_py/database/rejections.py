"""Which table says what was left out of a study's table."""

from __future__ import annotations

from collections.abc import Sequence

from models_py.base.errors import DataError, UsageError, near_match
from models_py.database.connection import Warehouse

SCHEMA, SUFFIX = "silver", "_rejections"


def rejections_of(warehouse: Warehouse, study: str, names: Sequence[str]) -> str:
    """Return the table of what was left out, as ``silver.<domain>_rejections``.

    Parameters
    ----------
    warehouse
        Open.
    study
        As the user calls it.
    names
        The study's table without the schema, and its own name: the domain with which the first
        of them begins is the study's.

    Raises
    ------
    UsageError
        The warehouse has no such domain; names those that it has.
    DataError
        The warehouse has left nothing out, since nothing was loaded or built.
    """
    beginning = f"{SCHEMA}."
    domains = [
        relation.removeprefix(beginning).removesuffix(SUFFIX)
        for relation in warehouse.relations()
        if relation.startswith(beginning) and relation.endswith(SUFFIX)
    ]
    if not domains:
        raise DataError(
            f"{warehouse.path.name} has no {SCHEMA}.*{SUFFIX}: build it with"
            " 'dbt build --project-dir warehouse', or load a file with scripts/new_study.py"
        )
    for name in names:
        own = [domain for domain in domains if f"{name}_".startswith(f"{domain}_")]
        if own:
            return f"{beginning}{max(own, key=len)}{SUFFIX}"
    raise UsageError(
        f"study {study}: nothing is known of what was left out of its table"
        f"{near_match(names[-1], domains)} (known of: {', '.join(sorted(domains))})"
    )


def studied_tables(warehouse: Warehouse, study: str) -> list[str]:
    """Return the table of a study's newest run without its schema; none before the first."""
    if "results.runs" not in warehouse.relations():
        return []
    rows = warehouse.rows(
        "select source_table from results.runs where study = ? order by run_id desc limit 1",
        [study],
    )
    return [str(table).partition(".")[2] for (table,) in rows if table]
