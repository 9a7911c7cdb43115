"""Answer programs about segments over the Model Context Protocol, read-only."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py import __version__
from models_py.base import settings
from models_py.base.errors import MissingExtraError, SegmenthouseError
from models_py.base.imports import is_installed
from models_py.base.invocation import as_called
from models_py.commands.exit_codes import end
from models_py.commands.options import add_warehouse, command_parser

if TYPE_CHECKING:
    from mcp.server import MCPServer

EXAMPLES = """\
examples:
  python scripts/serve_answers.py
  python scripts/serve_answers.py --warehouse data/segmenthouse.duckdb

A program (an assistant, an agent, an editor) starts it and talks to it over standard input and
output; it ends when they close. As such programs are set up:

  {"mcpServers": {"segmenthouse": {"command": "python", "args": ["scripts/serve_answers.py"]}}}

It tells of studies, runs, segments, profiles, rules and customers, and asks the ready questions of
sql/; every answer carries the stability, confidence and validity of the run it is from. It reads
the copy for readers where there is one, writes nothing, and opens no file or address beside it.
"""
INSTALL = "pip install -c constraints.txt -e '.[mcp]'"
INSTRUCTIONS = (
    "Customer segments of a warehouse. Say with every figure how far it can be trusted: 'trust'"
    " has the stability of the segments in refits (1 is stable, below 0.75 is doubtful), how"
    " likely the grouping is right, the mean confidence, and what the segments tell of the next"
    " period. None means not measured. Figures of small segments are withheld on purpose."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = command_parser("serve_answers.py", __doc__, EXAMPLES)
    add_warehouse(parser)
    asked = parser.parse_args(arguments)
    return end(lambda: _run(asked))


def _run(asked: argparse.Namespace) -> int:
    from models_py.database.connection import require_file

    if not is_installed("mcp"):
        raise MissingExtraError(f"answering programs needs mcp: {INSTALL}")
    path = asked.warehouse or settings.warehouse_path()
    require_file(path)
    answer_server(path).run("stdio")
    return 0


def _in_one_line(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Let a tool tell an error that the asker can mend as its one line."""
    from mcp.server.mcpserver.exceptions import ToolError

    @wraps(tool)
    def answered(*words: Any, **named: Any) -> dict[str, Any]:
        try:
            return tool(*words, **named)
        except SegmenthouseError as error:
            raise ToolError(as_called(str(error))) from error

    return answered


def answer_server(path: Path) -> MCPServer:
    """Return the server with its tools; none of them writes.

    Parameters
    ----------
    path
        The warehouse.
    """
    from mcp.server import MCPServer
    from mcp_types import ToolAnnotations

    from models_py.commands.answer_tools import AnswerTools

    tools = AnswerTools(path)
    server = MCPServer(
        "segmenthouse", instructions=INSTRUCTIONS, version=__version__, log_level="ERROR"
    )
    for tool in (
        tools.list_studies,
        tools.list_runs,
        tools.segments,
        tools.segment_profile,
        tools.segment_rules,
        tools.customer,
        tools.list_questions,
        tools.ask_question,
    ):
        server.add_tool(
            _in_one_line(tool),
            annotations=ToolAnnotations(
                read_only_hint=True, destructive_hint=False, open_world_hint=False
            ),
        )
    return server
