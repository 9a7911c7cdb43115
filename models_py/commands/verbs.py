"""Customer segments, explained and kept: every command as a verb of ``segmenthouse``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from models_py import __version__
from models_py.base import invocation
from models_py.base.errors import near_match
from models_py.commands.exit_codes import run_script

WRONG_USAGE = 2
PURPOSES = {
    "init": ("init_home", "lay out a folder for data, studies and reports"),
    "fetch": ("fetch_data", "fetch the raw files of a domain"),
    "generate": ("generate_grocery", "make up grocery lines at any size, week by week"),
    "build": ("build_warehouse", "build bronze, silver and gold with dbt"),
    "new-study": ("new_study", "draft a study of a file or table of your own"),
    "run": ("run_clustering", "find the segments of a study and write its page"),
    "score": ("score_customers", "give new or changed customers their segments"),
    "drift": ("check_drift", "tell whether a run is still true of its table"),
    "compare": ("compare_runs", "compare two runs of a study"),
    "promote": ("promote_run", "let a challenger take over, or an earlier run answer again"),
    "validity": ("check_validity", "ask whether segments tell of what comes next"),
    "report": ("write_report", "write the page of a run again"),
    "explore": ("explore_segments", "look around in a run, live and read-only"),
    "sql": ("run_sql", "ask a ready question, or one of your own"),
    "cleanup": ("cleanup_temp_tables", "clear, back up, check and restore the warehouse"),
}
"""Each verb to the module of its command and what it does."""


def verbs() -> dict[str, tuple[str, str]]:
    """Return the verbs whose command is there."""
    folder = Path(__file__).parent
    return {verb: of for verb, of in PURPOSES.items() if (folder / f"{of[0]}.py").is_file()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the first word names; return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    invocation.use_verbs()
    known = verbs()
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_help(known))
        return 0 if words else WRONG_USAGE
    if words[0] in {"-V", "--version"}:
        print(f"segmenthouse {__version__}")
        return 0
    verb, *rest = words
    if verb not in known:
        print(
            f"error: segmenthouse has no '{verb}'{near_match(verb, known)} (there are:"
            f" {', '.join(known)})",
            file=sys.stderr,
        )
        return WRONG_USAGE
    module = import_module(f"models_py.commands.{known[verb][0]}")
    return int(module.main(rest))


def _help(known: dict[str, tuple[str, str]]) -> str:
    width = max(map(len, known))
    lines = [f"  {verb:<{width}}  {purpose}" for verb, (_, purpose) in known.items()]
    return "\n".join(
        [
            "usage: segmenthouse VERB [OPTIONS]   (segmenthouse VERB --help says which)",
            "",
            "Customer segments: found, explained, kept, and asked with SQL.",
            "",
            *lines,
            "",
            "from a file to a page:",
            "  segmenthouse init shop && cd shop",
            "  segmenthouse new-study --input clients.csv --id client_id --name clients",
            "  segmenthouse run --study clients.toml",
        ]
    )


def script() -> None:
    """Be the installed command."""
    # Until the command can say what it did, Ctrl-C ends it without a word.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_script(main))
