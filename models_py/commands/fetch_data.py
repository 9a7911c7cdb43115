"""Fetch or copy the raw files of a domain, checked, to where the warehouse reads them."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.errors import SegmenthouseError, UsageError
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import INTERRUPTED, end
from models_py.commands.options import add_json, command_parser
from models_py.sources.registry import SOURCES, Source, choose_source, domains

if TYPE_CHECKING:
    from models_py.sources.fetching import Fetched

EXAMPLES = """\
examples:
  python scripts/fetch_data.py --list
  python scripts/fetch_data.py grocery
  python scripts/fetch_data.py grocery --source sort_of_real --from ~/Downloads/sort_of_real
  python scripts/fetch_data.py bank
  python scripts/fetch_data.py bank --from ~/Downloads/bank+marketing.zip

A download that broke off goes on where it stopped. Files are taken in together or not at all,
and a file that differs from the one in place replaces it only with --force.
"""


def main(arguments: Sequence[str] | None = None, sources: Sequence[Source] = SOURCES) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser(sources).parse_args(arguments)
    return end(lambda: _run(asked, sources), as_json=asked.json)


def _run(asked: argparse.Namespace, sources: Sequence[Source]) -> int:
    try:
        if asked.list:
            _print_sources(sources, asked.json)
        else:
            _fetch(asked, sources)
    except SegmenthouseError as error:
        _print_error(error, asked.json)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: what was downloaded is kept, run again to go on", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser(sources: Sequence[Source]) -> argparse.ArgumentParser:
    parser = command_parser("fetch_data.py", __doc__, EXAMPLES)
    parser.add_argument("domain", nargs="?", help=f"one of {', '.join(domains(sources))}")
    parser.add_argument("--source", metavar="NAME", help="which source of the domain (see --list)")
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="PATH",
        type=Path,
        help="copy from this folder, zip file or file instead of downloading",
    )
    parser.add_argument(
        "--force", action="store_true", help="fetch again, and replace files that differ"
    )
    parser.add_argument("--list", action="store_true", help="list domains, sources and files")
    add_json(parser)
    return parser


def _fetch(asked: argparse.Namespace, sources: Sequence[Source]) -> None:
    from models_py.sources.fetching import fetch

    if asked.domain is None:
        raise UsageError(f"name a domain: {', '.join(domains(sources))} (or --list)")
    source = choose_source(asked.domain, asked.source, asked.origin is not None, sources)
    with show_progress(quiet=asked.json) as progress:
        fetched = fetch(
            source,
            settings.raw_dir(source.domain),
            origin=asked.origin.expanduser() if asked.origin else None,
            force=asked.force,
            progress=progress,
        )
    if asked.json:
        _print_json(fetched)
    else:
        _print_summary(fetched, sources)


def _print_json(fetched: Fetched) -> None:
    answer = {
        "status": "done",
        "domain": fetched.source.domain,
        "source": fetched.source.name,
        "folder": str(fetched.folder),
        "files": [asdict(file) for file in fetched.files],
        "notes": fetched.notes,
        "next": fetched.source.next_commands,
    }
    print(json.dumps(answer, indent=2))


def _print_summary(fetched: Fetched, sources: Sequence[Source]) -> None:
    rows = sum(file.rows or 0 for file in fetched.files)
    size = sum(file.bytes for file in fetched.files)
    actions = Counter(file.action for file in fetched.files)
    done = ", ".join(f"{count} {action}" for action, count in actions.items())
    print(fetched.source.title)
    print(f"{done}: {rows:,} rows, {size / 1e6:,.1f} MB in {fetched.folder}")
    for note in fetched.notes:
        print(f"note: {note}")
    _print_other_sources(fetched.source, sources)
    print("next:", *fetched.source.next_commands, sep="\n  ")


def _print_other_sources(chosen: Source, sources: Sequence[Source]) -> None:
    """Say that the domain can also be built from another source."""
    for source in sources:
        if source.domain == chosen.domain and source.name != chosen.name and chosen.package:
            command = f"python scripts/fetch_data.py {source.domain} --source {source.name}"
            print(f"also: {command} ({source.title})")


def _print_error(error: SegmenthouseError, as_json: bool) -> None:
    problems: Sequence[str] = getattr(error, "problems", ())
    steps: Sequence[str] = getattr(error, "steps", ())
    if as_json:
        answer = {"status": "failed", "error": str(error), "problems": problems, "steps": steps}
        print(json.dumps(answer, indent=2))
        return
    for problem in problems if len(problems) > 1 else ():
        print(problem, file=sys.stderr)
    for number, step in enumerate(steps, start=1):
        print(f"{number}. {step}", file=sys.stderr)
    print(f"error: {error}", file=sys.stderr)


def _print_sources(sources: Sequence[Source], as_json: bool) -> None:
    from models_py.sources.fetching import is_there

    rows = [
        {
            "domain": source.domain,
            "source": source.name,
            "title": source.title,
            "there": is_there(source, settings.raw_dir(source.domain)),
            "files": [table.file for table in source.tables],
            "comes_from": _origin(source),
        }
        for source in sources
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        state = "there" if row["there"] else "not there"
        print(f"{row['domain']} / {row['source']} ({state}): {row['title']}")
        print(f"  files: {', '.join(map(str, row['files']))}")  # type: ignore[call-overload]
        print(f"  from:  {row['comes_from']}")


def _origin(source: Source) -> str:
    if source.package:
        return f"the installed package {source.package}"
    return source.address or "downloaded by hand: " + "; ".join(source.steps)
