"""The results contract: the tables of schema ``results`` and what one row of each is."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    MetaData,
    String,
    Table,
)

SCHEMA = "results"
metadata = MetaData(schema=SCHEMA)

RUNNING, DONE, FAILED = "running", "done", "failed"

runs = Table(
    "runs",
    metadata,
    Column("run_id", String, nullable=False, comment="sorts by start time"),
    Column("study", String, nullable=False),
    Column("status", String, nullable=False, comment="running, done or failed"),
    Column("started_at", DateTime, nullable=False, comment="UTC"),
    Column("ended_at", DateTime),
    Column("process_id", Integer),
    Column("host", String),
    Column("source_table", String),
    Column("entity_column", String),
    Column("rows_read", BigInteger),
    Column("data_fingerprint", String, comment="changes with any value of the table read"),
    Column("seed", BigInteger, nullable=False),
    Column("parameters", String, comment="JSON: the whole study"),
    Column("versions", String, comment="JSON: package versions"),
    Column("previous_run_id", String),
    Column("chosen_because", String),
    Column("error", String, comment="why a run failed, in one line"),
)

feature_selection = Table(
    "feature_selection",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False, comment="'all' without partition_by"),
    Column("feature", String, nullable=False),
    Column("is_kept", Boolean, nullable=False),
    Column("dropped_at", String, comment="matrix, variance, correlation, vif or importance"),
    Column("reason", String),
    Column("variance", Double),
    Column("vif", Double, comment="at the step that dropped it, or at the end"),
    Column("importance", Double),
)

outliers = Table(
    "outliers",
    metadata,
    Column("run_id", String, nullable=False),
    Column("entity_id", String, nullable=False),
    Column("method", String, nullable=False),
    Column("score", Double, nullable=False, comment="higher is stranger"),
    Column("is_kept", Boolean, nullable=False),
)

model_search = Table(
    "model_search",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("candidate", Integer, nullable=False),
    Column("encoding", String, nullable=False),
    Column("algorithm", String, nullable=False),
    Column("parameters", String, nullable=False, comment="JSON"),
    Column("k", Integer, nullable=False),
    Column("silhouette", Double, comment="in the encoder's own space"),
    Column("common_silhouette", Double, comment="in the scaled selected features"),
    Column("davies_bouldin", Double),
    Column("common_davies_bouldin", Double),
    Column("calinski_harabasz", Double),
    Column("common_calinski_harabasz", Double),
    Column("inertia", Double),
    Column("noise_share", Double),
    Column("smallest_share", Double),
    Column("bic", Double),
    Column("dbcv", Double),
    Column("gap", Double),
    Column("is_elbow", Boolean, comment="the inertia of its algorithm bends most here"),
    Column("stability", Double, comment="mean Jaccard over subsample refits"),
    Column("adjusted_rand", Double, comment="mean agreement over subsample refits"),
    Column("seconds", Double),
    Column("is_chosen", Boolean, nullable=False),
    Column("reason", String),
)

segments = Table(
    "segments",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False, comment="kept from run to run of a study"),
    Column("name", String, nullable=False),
    Column("description", String),
    Column("size", BigInteger, nullable=False),
    Column("share", Double, nullable=False),
    Column("silhouette", Double),
    Column("stability", Double),
    Column("is_stable", Boolean),
    Column("rule_sql", String),
    Column("rule_precision", Double),
    Column("rule_recall", Double),
)

segment_features = Table(
    "segment_features",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("feature", String, nullable=False),
    Column("mean", Double),
    Column("median", Double),
    Column("lower_quartile", Double),
    Column("upper_quartile", Double),
    Column("population_mean", Double),
    Column("z", Double, comment="(mean - population mean) / population standard deviation"),
    Column("importance", Double, comment="share of the feature's variance between segments"),
    Column("is_model_feature", Boolean, nullable=False),
)

assignments = Table(
    "assignments",
    metadata,
    Column("run_id", String, nullable=False),
    Column("entity_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("confidence", Double, comment="0..1, from the distances to the two nearest centres"),
    Column("silhouette", Double),
    Column("is_outlier", Boolean, nullable=False),
)

migrations = Table(
    "migrations",
    metadata,
    Column("run_id", String, nullable=False),
    Column("previous_run_id", String, nullable=False),
    Column("from_segment_id", Integer, comment="null: was not there"),
    Column("to_segment_id", Integer, comment="null: is gone"),
    Column("entities", BigInteger, nullable=False),
)

segment_registry = Table(
    "segment_registry",
    metadata,
    Column("study", String, nullable=False),
    Column("segment_id", Integer, nullable=False, comment="never used for another segment"),
    Column("first_run_id", String, nullable=False),
)

partition_resemblance = Table(
    "partition_resemblance",
    metadata,
    Column("run_id", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("other_segment_id", Integer, nullable=False),
    Column("correlation", Double, comment="of the two segments' mean differences"),
)

scores = Table(
    "scores",
    metadata,
    Column("run_id", String, nullable=False),
    Column("entity_id", String, nullable=False, comment="once a run: the last score stays"),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("confidence", Double, comment="0..1, from the distances to the run's centres"),
    Column("method", String, nullable=False, comment="what labels a row, and how exactly"),
    Column("scored_at", DateTime, nullable=False, comment="UTC"),
)

RUN_TABLES = (
    feature_selection,
    outliers,
    model_search,
    segments,
    segment_features,
    assignments,
    migrations,
    partition_resemblance,
    scores,
)
ALL_TABLES = (runs, segment_registry, *RUN_TABLES)
