"""Statements that a page shows, for a reader to copy and ask the warehouse."""

from __future__ import annotations


def labelled_rows(table: str, entity: str, segment_sql: str) -> str:
    """Return the statement that gives every row of a table the segment of an expression."""
    return f"select {entity},\n{segment_sql} as segment_id\nfrom {table}"


def members(study: str, entity: str, segment_id: int) -> str:
    """Return the statement that lists a segment's members, the surest first."""
    return (
        f"select {entity}, segment_name, confidence\n"
        f"from results.{study}_latest\n"
        f"where segment_id = {segment_id}\n"
        "order by confidence desc"
    )


def questions(study: str, entity: str, table: str, run_id: str) -> dict[str, str]:
    """Return statements on the newest run of a study, by what they answer."""
    return {
        "Every row with its segment": (
            f"select {entity}, segment_id, segment_name, confidence, is_outlier\n"
            f"from results.{study}_latest"
        ),
        "What each segment is like": (
            "select segment_id, feature, mean, population_mean, z\n"
            f"from results.segment_features\nwhere run_id = '{run_id}'\n"
            "order by segment_id, abs(z) desc"
        ),
        "Segments beside any column of gold": (
            "select latest.segment_name, count(*)\n"
            f"from results.{study}_latest as latest\n"
            f"join {table} as gold using ({entity})\ngroup by all"
        ),
    }
