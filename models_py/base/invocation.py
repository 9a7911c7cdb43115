"""How commands are called here: by their scripts in a checkout, else by verbs of ``segmenthouse``.

Messages, help texts and pages name the scripts; :func:`as_called` makes them say what the user
can type.
"""

from __future__ import annotations

import re

from models_py.base import settings

VERBS = {
    "run_clustering": "run",
    "new_study": "new-study",
    "score_customers": "score",
    "check_drift": "drift",
    "check_validity": "validity",
    "compare_runs": "compare",
    "promote_run": "promote",
    "write_report": "report",
    "explore_segments": "explore",
    "run_sql": "sql",
    "fetch_data": "fetch",
    "generate_grocery": "generate",
    "cleanup_temp_tables": "cleanup",
}
"""Each script to its verb."""

_SCRIPT = re.compile(r"(?:python\s+)?scripts/(\w+)\.py")
_BUILD = re.compile(r"dbt build --project-dir\s+warehouse")
_EXTRA = re.compile(r"pip install (?:-c constraints\.txt )?-e '\.\[(\w+)\]'")

_called: list[str] = []


def use_verbs() -> None:
    """Say from now on what the installed command ``segmenthouse`` understands."""
    _called.append("segmenthouse")


def are_verbs_used() -> bool:
    """Tell whether commands are called by their verbs: asked for, or there are no scripts."""
    return bool(_called) or not settings.is_checkout()


def program(script: str) -> str:
    """Return what a usage line calls a command, by the file name of its script."""
    verb = VERBS.get(script.removesuffix(".py"))
    return f"segmenthouse {verb}" if verb and are_verbs_used() else script


def as_called(text: str) -> str:
    """Return a text with every command written as it is called here."""
    if not are_verbs_used() or not any(
        word in text for word in ("scripts/", "dbt build", "pip install")
    ):
        return text
    text = _SCRIPT.sub(_verb, text)
    text = _BUILD.sub("segmenthouse build", text)
    return _EXTRA.sub(r"pip install 'segmenthouse[\1]'", text)


def _verb(match: re.Match[str]) -> str:
    verb = VERBS.get(match[1])
    return f"segmenthouse {verb}" if verb else match[0]
