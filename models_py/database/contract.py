"""The results contract: the tables of schema ``results`` and what one row of each is."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    String,
    Table,
)

from models_py.studies.measures import MEASURES

SCHEMA = "results"
LOADED = "loaded by new_study.py from "
"""How the comment of a table begins that a user loaded, and therefore owns."""
metadata = MetaData(schema=SCHEMA)

RUNNING, DONE, FAILED = "running", "done", "failed"
CHALLENGER, RETIRED = "challenger", "retired"
FINISHED = (DONE, CHALLENGER, RETIRED)
"""A study's standing run, which answers for it, is the newest that is done. A challenger is
finished and answers once it has taken over; a retired run was stepped back from."""

runs = Table(
    "runs",
    metadata,
    Column("run_id", String, nullable=False, comment="begins with the start time by the clock"),
    Column("study", String, nullable=False),
    Column(
        "status", String, nullable=False, comment="running, done, challenger, retired or failed"
    ),
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
    Column("number", BigInteger, comment="counts the runs of this file: the highest is newest"),
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
    Column("score", Double, nullable=False, comment="higher is more unusual"),
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
    *(Column(m.name, Double, comment=m.description) for m in MEASURES.values()),
    Column("is_elbow", Boolean, comment="the inertia of its algorithm bends most here"),
    Column("seconds", Double),
    Column("is_chosen", Boolean, nullable=False),
    Column("reason", String),
)

answers = Table(
    "answers",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("rank", Integer, nullable=False, comment="0 the answer, then up to 3 other groupings"),
    Column("candidate", Integer, comment="of model_search; null where one segment is the answer"),
    Column("algorithm", String, nullable=False),
    Column("k", Integer, nullable=False),
    Column("measure", String, comment="what the candidates are ranked by"),
    Column("figure", Double, comment="its value"),
    Column("agreement", Double, comment="adjusted Rand index with the answer"),
    Column(
        "likely_right",
        Double,
        comment="how often an answer with such evidence was the planted grouping; null: unknown",
    ),
    Column("meaning", String, nullable=False, comment="what becomes of the answer's segments"),
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
    Column("is_small", Boolean, comment="too few members to be profiled: figures withheld"),
    Column(
        "is_withheld",
        Boolean,
        comment="small, or withheld with a small one whose figures would follow from it",
    ),
    Column("rule_text", String, comment="conditions on gold columns, in words"),
    Column("rule_sql", String, comment="the same as a condition on gold"),
    Column("rule_precision", Double, comment="share of the rule's rows that are members"),
    Column("rule_recall", Double, comment="share of the members that the rule finds"),
    Column("rule_lift", Double, comment="precision over the segment's share of its partition"),
    Column("surrogate_f1", Double, comment="out of fold"),
    Column("majority_label", String, comment="commonest known label of its members"),
    Column("label_purity", Double, comment="share of its labelled members that have it"),
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
    Column("known_count", BigInteger, comment="members with a value; null: figures withheld"),
    Column("total_share", Double, comment="the segment's part of the column's sum"),
    Column("effect_size", Double, comment="Hedges g: the segment against the rest"),
    Column("effect_low", Double, comment="lower end of its 95% interval"),
    Column("effect_high", Double, comment="upper end of its 95% interval"),
    Column("p_adjusted", Double, comment="Benjamini-Hochberg over all tests of the run"),
    Column("shap", Double, comment="mean absolute SHAP value towards this segment, in log odds"),
    Column("shap_direction", Double, comment="1: high values speak for it, -1: low values"),
)

segment_categories = Table(
    "segment_categories",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("feature", String, nullable=False),
    Column("category", String, nullable=False, comment="'not given' for null; rare ones as one"),
    Column("share", Double, comment="of the segment's rows"),
    Column("population_share", Double, comment="of the partition's rows"),
    Column("lift", Double, comment="share / population_share"),
    Column("p_adjusted", Double, comment="Benjamini-Hochberg over all tests of the run"),
)

surrogates = Table(
    "surrogates",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("rows", BigInteger, nullable=False, comment="that it was trained and tried on"),
    Column("folds", Integer, nullable=False),
    Column("f1_weighted", Double, comment="out of fold, as all figures here"),
    Column("f1_macro", Double),
    Column("accuracy", Double),
    Column("shap_rows", BigInteger, comment="rows whose SHAP values were computed"),
    Column("parameters", String, nullable=False, comment="JSON"),
    Column("seconds", Double),
    Column(
        "text_agreement",
        Double,
        comment="of sentences' segments: adjusted Rand index with k-means of the columns",
    ),
    Column("text_explained", Double, comment="share of the unseen measures' variance they tell"),
    Column("columns_explained", Double, comment="what k-means of the columns tells of it"),
    Column("text_comparison", String, comment="what the sentences add, with the figures"),
)

shap_samples = Table(
    "shap_samples",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False, comment="towards which the value speaks"),
    Column("sample", Integer, nullable=False, comment="a row drawn; says nothing of who it is"),
    Column("feature", String, nullable=False),
    Column("value", Double, comment="in gold's units"),
    Column("shap", Double, nullable=False),
)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("case_sql", String, nullable=False, comment="gives each gold row a segment id"),
    Column("rows", BigInteger, nullable=False, comment="that it was run on in the warehouse"),
    Column("accuracy", Double, nullable=False, comment="share it gives the assigned segment"),
    Column("f1_weighted", Double, nullable=False),
    Column("conditions", Integer, nullable=False, comment="in all rules together"),
)

segment_actions = Table(
    "segment_actions",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("priority", Integer, nullable=False, comment="1 first"),
    Column("action", String, nullable=False, comment="short key, such as 'win_back'"),
    Column("advice", String, nullable=False),
    Column("because", String, nullable=False, comment="the figures that led to it"),
)

validity = Table(
    "validity",
    metadata,
    Column("run_id", String, nullable=False, comment="the run whose recipe was tried"),
    Column("partition", String, nullable=False),
    Column("grouping", String, nullable=False, comment="segments, rfm, rfm_score or kmeans"),
    Column("groups", Integer, nullable=False),
    Column("outcome", String, nullable=False, comment="next period: spend, visits, churn, ..."),
    Column("measure", String, nullable=False, comment="eta_squared or auc, out of fold"),
    Column("value", Double),
    Column("rows", BigInteger, nullable=False),
    Column("split_on", Date, nullable=False, comment="first day of the next period"),
)

segment_labels = Table(
    "segment_labels",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("label", String, nullable=False, comment="of the study's label column, as text"),
    Column("entities", BigInteger, nullable=False),
    Column("share", Double, nullable=False, comment="of the segment's labelled members"),
    Column("is_majority", Boolean, nullable=False, comment="the label that the segment maps to"),
)

label_agreement = Table(
    "label_agreement",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("label_column", String, nullable=False),
    Column("entities", BigInteger, nullable=False, comment="with a known label"),
    Column("purity", Double, nullable=False, comment="share whose label is their segment's"),
    Column("adjusted_rand", Double, nullable=False),
    Column("mutual_information", Double, nullable=False, comment="normalised, 0..1"),
    Column("majority_share", Double, nullable=False, comment="of the commonest label of all"),
    Column("supervised_accuracy", Double, comment="a model given the labels, out of fold"),
    Column("supervised_adjusted_rand", Double),
    Column("folds", Integer),
)

assignments = Table(
    "assignments",
    metadata,
    Column("run_id", String, nullable=False),
    Column("entity_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column(
        "confidence",
        Double,
        comment="0..1, from the distances to the two nearest centers; of a mixture its probability",
    ),
    Column("silhouette", Double),
    Column("is_outlier", Boolean, nullable=False),
    Column("spread", Double, comment="of the row's place in a variational encoding"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("entity_id", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("probability", Double, nullable=False, comment="of a mixture; from 0.001 on"),
)

migrations = Table(
    "migrations",
    metadata,
    Column("run_id", String, nullable=False),
    Column("previous_run_id", String, nullable=False),
    Column("from_segment_id", Integer, comment="null: was not there; 0: all that are withheld"),
    Column("to_segment_id", Integer, comment="null: is gone; 0: all that are withheld"),
    Column("entities", BigInteger, nullable=False),
)

segment_registry = Table(
    "segment_registry",
    metadata,
    Column("study", String, nullable=False),
    Column("segment_id", Integer, nullable=False, comment="never used for another segment"),
    Column("first_run_id", String, nullable=False),
)

challenges = Table(
    "challenges",
    metadata,
    Column("run_id", String, nullable=False, comment="the challenger"),
    Column("standing_run_id", String, nullable=False, comment="which it was compared with"),
    Column("measure", String, nullable=False, comment="stability, kept_share, silhouette, ..."),
    Column("value", Double, comment="the challenger's; null: not measured, and says nothing"),
    Column("standing_value", Double),
    Column("at_least", Double, comment="what the challenger needs to take over"),
    Column("is_met", Boolean, nullable=False),
)

partition_resemblance = Table(
    "partition_resemblance",
    metadata,
    Column("run_id", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("other_segment_id", Integer, nullable=False),
    Column("correlation", Double, comment="of the two segments' mean differences"),
)

partition_comparison = Table(
    "partition_comparison",
    metadata,
    Column("run_id", String, nullable=False),
    Column("partition_by", String, nullable=False),
    Column("partitions", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False, comment="of which the partition was predicted"),
    Column("resemblance", Double, comment="mean correlation of segments matched to their like"),
    Column(
        "balanced_accuracy", Double, comment="partition predicted from the features, out of fold"
    ),
    Column("by_chance", Double, comment="what guessing reaches"),
    Column("verdict", String, comment="alike, partly different or different"),
    Column("sentence", String, comment="the verdict with the figures it rests on"),
)

move_forecasts = Table(
    "move_forecasts",
    metadata,
    Column("run_id", String, nullable=False, comment="the run whose entities may move next"),
    Column("transitions", Integer, nullable=False, comment="from run to run, learned from"),
    Column("rows", BigInteger, nullable=False, comment="entities in both runs of a transition"),
    Column("moved_share", Double, comment="of these rows"),
    Column(
        "auc",
        Double,
        comment="out of time: of the newest transition, foretold from those before; 0.5 is chance",
    ),
    Column("auc_rows", BigInteger, comment="entities that the AUC was measured on"),
    Column("refused", String, comment="why nothing is foretold; null where something is"),
)

likely_moves = Table(
    "likely_moves",
    metadata,
    Column("run_id", String, nullable=False),
    Column("entity_id", String, nullable=False),
    Column("segment_id", Integer, nullable=False, comment="where it is in this run"),
    Column(
        "likelihood", Double, nullable=False, comment="0..1, of another segment in the next run"
    ),
)

scores = Table(
    "scores",
    metadata,
    Column("run_id", String, nullable=False),
    Column("entity_id", String, nullable=False, comment="once a run: the last score stays"),
    Column("partition", String, nullable=False),
    Column("segment_id", Integer, nullable=False),
    Column("confidence", Double, comment="0..1, from the distances to the run's centers"),
    Column("label", String, comment="the segment's majority label, where the study has one"),
    Column("method", String, nullable=False, comment="what labels a row, and how exactly"),
    Column("note", String, comment="what of the row the run never saw"),
    Column("scored_at", DateTime, nullable=False, comment="UTC"),
)

RUN_TABLES = (
    feature_selection,
    outliers,
    model_search,
    answers,
    segments,
    segment_features,
    segment_categories,
    segment_actions,
    surrogates,
    shap_samples,
    rule_sets,
    validity,
    segment_labels,
    label_agreement,
    assignments,
    memberships,
    migrations,
    challenges,
    partition_resemblance,
    partition_comparison,
    move_forecasts,
    likely_moves,
    scores,
)
ALL_TABLES = (runs, segment_registry, *RUN_TABLES)
