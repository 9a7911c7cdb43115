"""What MLflow keeps of a run: its parameters, measures and tables, from the results."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base.errors import UsageError
from models_py.database import contract, results
from models_py.database.connection import WAIT_SECONDS, open_warehouse
from models_py.runs.finished_runs import finished_run
from models_py.studies.measures import MEASURES

if TYPE_CHECKING:
    import pandas as pd

FACTS = (
    "run_id",
    "study",
    "status",
    "started_at",
    "ended_at",
    "source_table",
    "entity_column",
    "rows_read",
    "data_fingerprint",
    "seed",
    "parameters",
    "versions",
    "previous_run_id",
    "chosen_because",
)
READ = (
    contract.model_search,
    contract.segments,
    contract.answers,
    contract.assignments,
    contract.surrogates,
    contract.validity,
    contract.label_agreement,
)
SHOWN = ("partition", "segment_id", "size", "share")
"""What is shown of a segment that is withheld."""
LONGEST_VALUE = 500
"""Of a parameter: what the oldest stores take."""


@dataclass(frozen=True, eq=False)
class RunContents:
    """A finished run as the warehouse has it.

    Attributes
    ----------
    facts
        Its row of ``results.runs``.
    tables
        Its rows of the other tables, by name.
    file
        The warehouse.
    """

    facts: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    file: Path

    def parameters(self) -> dict[str, str]:
        """Return the study and what was chosen, flat."""
        of_study = dict(_flat("study", json.loads(self.facts["parameters"])))
        chosen = {"seed": self.facts["seed"], "source_table": self.facts["source_table"]}
        for row in self.chosen():
            prefix = f"chosen{_of(row['partition'])}"
            names = ("algorithm", "k", "encoding")
            chosen |= {f"{prefix}.{name}": row[name] for name in names}
            chosen |= dict(_flat(prefix, json.loads(row["parameters"])))
        return {
            _key(name): str(value)[:LONGEST_VALUE] for name, value in (of_study | chosen).items()
        }

    def measures(self) -> dict[str, float]:
        """Return the figures of the segments that were chosen; what is not measured is left out."""
        named: dict[str, Any] = {"rows_read": self.facts["rows_read"]}
        for row in self.chosen():
            named |= {f"{name}{_of(row['partition'])}": row[name] for name in MEASURES}
        named |= self._of_segments()
        return _figures(named)

    def _of_segments(self) -> dict[str, Any]:
        segments = self.tables["segments"]
        open_ones = segments[~segments["is_withheld"].fillna(False).astype(bool)]
        stable = open_ones[open_ones["stability"].notna()]
        named: dict[str, Any] = {
            "segments": len(segments),
            "unstable_segments": int((stable["is_stable"] == False).sum()),  # noqa: E712
            "segment_stability_least": stable["stability"].min(),
            "outlier_share": self.tables["assignments"]["is_outlier"].mean(),
        }
        for row in _rows(self.tables["answers"]):
            if row["rank"] == 0:
                named[f"likely_right{_of(row['partition'])}"] = row["likely_right"]
        for row in _rows(self.tables["surrogates"]):
            named[f"surrogate_f1{_of(row['partition'])}"] = row["f1_weighted"]
        for row in _rows(self.tables["validity"]):
            if row["grouping"] == "segments":
                named[f"validity/{row['outcome']}{_of(row['partition'])}"] = row["value"]
        for row in _rows(self.tables["label_agreement"]):
            for name in ("purity", "adjusted_rand", "mutual_information"):
                named[f"label_{name}{_of(row['partition'])}"] = row[name]
        return named

    def chosen(self) -> list[dict[str, Any]]:
        """Return the chosen candidate of every partition."""
        search = self.tables["model_search"]
        return _rows(search[search["is_chosen"]])

    def candidates(self) -> pd.DataFrame:
        """Return the table of all candidates."""
        return self.tables["model_search"].drop(columns="run_id")

    def segments(self) -> pd.DataFrame:
        """Return the segments; those withheld by their size only."""
        columns = [*SHOWN, "name", "description", "stability", "is_stable", "silhouette"]
        segments = self.tables["segments"]
        hidden = [name for name in columns if name not in SHOWN]
        is_withheld = segments["is_withheld"].fillna(False).astype(bool)
        shown = segments[columns].astype(dict.fromkeys(hidden, "object"))
        shown.loc[is_withheld, hidden] = None
        return shown

    def note(self) -> str:
        """Return what the run found, in Markdown."""
        lines = [
            f"| {row['segment_id']} | {row['name'] or 'withheld'} | {row['size']:,} |"
            for row in _rows(self.segments())
        ]
        head = [str(self.facts["chosen_because"]), "", "| segment | name | size |", "|---|---|---|"]
        return "\n".join([*head, *lines])


def read_contents(path: Path, run_id: str) -> RunContents:
    """Read what a finished run left in the warehouse.

    Raises
    ------
    UsageError
        There is no such finished run.
    """
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        finished_run(warehouse, run_id)
        rows = results.done_runs(warehouse, FACTS, run_id)
        if not rows:
            raise UsageError(f"there is no finished run '{run_id}'")
        tables = {table.name: results.read_run_rows(warehouse, table, run_id) for table in READ}
        return RunContents(dict(zip(FACTS, rows[0], strict=True)), tables, path)


def candidate_parameters(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a candidate."""
    named = {name: row[name] for name in ("partition", "encoding", "algorithm", "k")}
    named |= dict(_flat("parameters", json.loads(str(row["parameters"]))))
    return {_key(name): str(value)[:LONGEST_VALUE] for name, value in named.items()}


def candidate_measures(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the measures of a candidate."""
    return _figures({name: row[name] for name in (*MEASURES, "seconds")})


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    # Lists stay one parameter; what nobody set is left out.
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{prefix}.{name}", inner)
    elif isinstance(value, list):
        if value:
            yield prefix, json.dumps(value)
    elif value is not None:
        yield prefix, value


def _key(name: str) -> str:
    # MLflow's own alphabet.
    return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)


def _figures(named: Mapping[str, Any]) -> dict[str, float]:
    numbers = {
        _key(name): float(value)
        for name, value in named.items()
        if value is not None and not isinstance(value, str)
    }
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def _of(partition: object) -> str:
    return "" if partition == "all" else f"/{partition}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
