"""The flow of one run: gold to results, begun in one transaction and finished in one other."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import settings
from models_py.base.checksums import package_versions
from models_py.base.progress import Progress
from models_py.database import contract, results
from models_py.database.connection import WAIT_SECONDS, require_file
from models_py.database.gold import GoldRows
from models_py.database.locks import run_lock
from models_py.describe.advice import load_advice
from models_py.describe.explanation import explain
from models_py.describe.words import Vocabulary
from models_py.describe.labels import LabelRows, Supervised, label_rows, supervised_scores
from models_py.describe.names import given_names
from models_py.runs.identity import segments_by_centers
from models_py.runs.recording import (
    Ending,
    begin,
    open_ending,
    record_failure,
    runs_before,
)
from models_py.runs.storage import remove_failed_models, remove_run_models, save_run_models
from models_py.runs.tables import (
    DescriptionInputs,
    Previous,
    RunTables,
    run_tables,
    withheld_of_run,
)
from models_py.segmentation.prepare import ALL, check_encoders
from models_py.segmentation.segmentation import Segmentation
from models_py.segmentation.studied import check_size, read_studied, segment_partitions

if TYPE_CHECKING:
    import pandas as pd

    from models_py.database.spark_tables import SparkTable
    from models_py.studies.study import Study


@dataclass(frozen=True)
class Finished:
    """A run as a command tells of it.

    Attributes
    ----------
    run_id, previous_run_id
        This run, and the study's run before it.
    tables
        What was written.
    reasons
        Why it was selected, by partition.
    skipped
        What was left out and how to get it, a line each.
    waits_in, holder
        Where the results wait, and which process holds the warehouse; None where they are in it.
    is_challenger
        Whether the run before still answers for the study.
    """

    run_id: str
    study: str
    previous_run_id: str | None
    rows_read: int
    tables: RunTables
    reasons: dict[str, str]
    skipped: tuple[str, ...] = ()
    waits_in: Path | None = None
    holder: str | None = None
    is_challenger: bool = False


def run_study(
    study: Study,
    path: Path,
    seed: int,
    progress: Progress,
    wait_seconds: float = WAIT_SECONDS,
    *,
    is_challenger: bool = False,
) -> Finished:
    """Run a study on the warehouse and write its results.

    Parameters
    ----------
    study
        The recipe.
    path
        The DuckDB file.
    seed
        For everything random; recorded with the run.
    progress
        Shows each step.
    wait_seconds
        How long another process is waited for; then the results wait beside the warehouse.
    is_challenger
        Leave the answer to the study's standing run, where there is one.

    Raises
    ------
    SegmenthouseError
        In one line; the run is recorded as failed with it, and no other row is written. What
        is wrong with the study itself is found before a run begins.
    """
    check_encoders(study)
    description = DescriptionInputs(
        names=given_names(settings.names_file(), study.name),
        advice=load_advice(settings.advice_file()),
        seed=seed,
    )
    start = _start(study, seed)
    require_file(path)
    with run_lock(path, start.run_id):
        return _run(study, path, start, description, progress, wait_seconds, is_challenger)


def _run(
    study: Study,
    path: Path,
    start: results.RunStart,
    description: DescriptionInputs,
    progress: Progress,
    wait_seconds: float,
    is_challenger: bool,
) -> Finished:
    seed = description.seed
    failed = begin(path, start, wait_seconds)
    try:
        remove_failed_models(settings.models_dir(start.run_id).parent, failed)
        progress.step(f"reading {study.table}")
        whole = _on_spark(study, path, seed, wait_seconds)
        gold = read_studied(study, path, check=check_size)
        before = runs_before(path, study.name, wait_seconds)
        segmentations = segment_partitions(study, gold.frame, seed, progress, whole)
        progress.step("explaining the segments")
        least, vocabulary = study.describe.small_segment, Vocabulary(study.describe.words)
        description = replace(
            description,
            explanations=[
                explain(gold.frame, segmentation, seed, held.least, vocabulary, least)
                for segmentation, held in zip(
                    segmentations, withheld_of_run(segmentations, least), strict=True
                )
            ],
        )
        scores = supervised_scores(study, gold.frame, segmentations, seed, progress)
        progress.step("matching the previous run and writing results")
        with open_ending(path, start, study, gold.frame, before, wait_seconds) as ending:
            return _write(
                study, ending, gold, segmentations, description, scores, is_challenger, whole
            )
    except BaseException as error:
        if not record_failure(path, start, error):
            remove_run_models(settings.models_dir(start.run_id))
        raise


def _on_spark(study: Study, path: Path, seed: int, wait_seconds: float) -> SparkTable | None:
    """Open the study's table where that is on Spark, with a sample of it in the warehouse."""
    if study.engine != "spark":
        return None
    from models_py.database.spark_tables import keep_sample, open_spark_table

    whole = open_spark_table(study, seed)
    keep_sample(path, whole, wait_seconds)
    return whole


def _start(study: Study, seed: int) -> results.RunStart:
    now = results.utc_now()
    return results.RunStart(
        run_id=results.new_run_id(now),
        study=study.name,
        started_at=now,
        seed=seed,
        source_table=".".join(study.schema_and_name),
        entity_column=study.entity,
        parameters=study.model_dump_json(),
        versions=json.dumps(package_versions()),
    )


def _write(
    study: Study,
    ending: Ending,
    gold: GoldRows,
    segmentations: list[Segmentation],
    description: DescriptionInputs,
    scores: dict[str, Supervised | None],
    is_challenger: bool,
    whole: SparkTable | None,
) -> Finished:
    run_id, previous_run_id = ending.start.run_id, ending.last.run_id
    tables = run_tables(
        study,
        gold.frame,
        segmentations,
        _previous(ending, gold.frame[study.entity] if whole is not None else None),
        ending.last.last_segment_id,
        replace(description, ask_gold=ending.ask_gold),
    )
    segments = tables.rows["segments"]
    withheld = set(segments.loc[segments["is_withheld"], "segment_id"])
    labels = label_rows(study, gold.frame, tables.rows["assignments"], scores, withheld)
    _add_labels(tables, labels)
    reasons = {s.prepared.partition: s.choice.reason for s in segmentations}
    facts = {
        "rows_read": len(gold.frame),
        "data_fingerprint": gold.fingerprint,
        "previous_run_id": previous_run_id,
        "chosen_because": "; ".join(
            reason if name == ALL else f"{name}: {reason}" for name, reason in reasons.items()
        ),
    }
    is_challenger = is_challenger and previous_run_id is not None
    if is_challenger:
        facts["status"] = contract.CHALLENGER
    models = settings.models_dir(run_id)
    save_run_models(models, run_id, study, gold.frame, segmentations, tables.rows["segments"])
    if whole is not None:
        from models_py.runs.spark_labels import label_all

        said = label_all(whole, models, run_id, tables)
        facts["chosen_because"] = f"{facts['chosen_because']}; {said}"
    waits_in = ending.finish(facts, tables.rows, tables.new_segments)
    skipped = tuple(
        dict.fromkeys(
            explanation.skipped for explanation in description.explanations if explanation.skipped
        )
    )
    return Finished(
        run_id,
        study.name,
        previous_run_id,
        len(gold.frame) if whole is None else whole.rows,
        tables,
        reasons,
        skipped,
        waits_in,
        None if waits_in is None else ending.holder,
        is_challenger,
    )


def _add_labels(tables: RunTables, labels: LabelRows | None) -> None:
    if labels is None:
        return
    tables.rows["segment_labels"] = labels.segment_labels
    tables.rows["label_agreement"] = labels.label_agreement
    segments = tables.rows["segments"]
    tables.rows["segments"] = segments.merge(labels.majority, on="segment_id", how="left")


def _previous(ending: Ending, sampled: pd.Series[Any] | None) -> Previous | None:
    run_id, assignments = ending.last.run_id, ending.assignments
    if run_id is None or assignments is None:
        return None
    if sampled is not None:
        # Of those that this run describes: who left the sample left no segment.
        assignments = assignments[assignments["entity_id"].isin(sampled)]
    by_centers = partial(segments_by_centers, settings.models_dir(run_id), run_id)
    return Previous(run_id, assignments, by_centers)
