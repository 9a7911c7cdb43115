"""Programs ask over standard input and output; each answer has its figures of trust."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from planted_gold import asked
from tests.models_py.runs.planted_house import customers, run, study

from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.commands import serve_answers
from models_py.commands.answer_tools import AnswerTools
from models_py.database.share import share

TRUST = {
    "run_id",
    "started_at",
    "rows_read",
    "data_fingerprint",
    "chosen_because",
    "stability",
    "stability_least",
    "unstable_segments",
    "likely_right",
    "sureness",
    "confidence",
    "validity",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A home with two runs of one study; the id of the second."""
    home = tmp_path_factory.mktemp("answers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(home))
        recipe = study(stability={"refits": 2}, choose={"by": "silhouette"})
        run(recipe, customers(300))
        leave_out(settings.warehouse_path())
        yield run(recipe, seed=8).run_id


def leave_out(path: Path) -> None:
    """Let the warehouse say what was left out, as a build does, in silver."""
    with duckdb.connect(str(path)) as raw:
        raw.execute("create schema silver")
        raw.execute(
            "create table silver.shop_rejections as select 'lines' as entity, 'null id' as reason,"
            " 'customer_id is null' as rule, 4 as row_count"
        )


@pytest.fixture
def tools(house: str) -> AnswerTools:
    return AnswerTools(settings.warehouse_path())


def test_every_answer_has_its_figures_of_trust(tools: AnswerTools, house: str) -> None:
    [listed] = tools.list_studies()["studies"]
    answers = [
        listed,
        tools.segments(),
        tools.segments("shop"),
        tools.segment_profile(1, "shop"),
        tools.segment_rules("shop"),
        tools.customer("C00007"),
        tools.ask_question("candidates"),
    ]
    for answer in answers:
        assert set(answer["trust"]) == TRUST
        assert answer["trust"]["run_id"] == house
        json.dumps(answer)
    stability, confidence = asked(
        settings.warehouse_path(),
        "select (select sum(stability * size) / sum(size) from results.segments where run_id = $r),"
        " (select avg(confidence) from results.assignments where run_id = $r)".replace(
            "$r", f"'{house}'"
        ),
    )[0]
    assert listed["trust"]["stability"] == pytest.approx(stability)
    assert listed["trust"]["confidence"] == pytest.approx(confidence)
    assert listed["trust"]["validity"] is None


def test_segments_profiles_and_customers_are_those_of_the_results(
    tools: AnswerTools, house: str
) -> None:
    sizes = asked(
        settings.warehouse_path(),
        f"select segment_id, size from results.segments where run_id = '{house}'",
    )
    assert {(row["segment_id"], row["size"]) for row in tools.segments()["rows"]} == set(sizes)
    profile = tools.segment_profile(2)["rows"]
    assert {row["segment_id"] for row in profile} == {2}
    path = tools.customer("C00007")["rows"]
    own = asked(
        settings.warehouse_path(),
        "select segment_id from results.assignments join results.runs using (run_id)"
        " where entity_id = 'C00007' order by number",
    )
    assert [row["segment_id"] for row in path] == [segment for (segment,) in own]
    assert len(tools.list_runs()["rows"]) == 2


def test_every_ready_question_is_answered_or_says_why_not(tools: AnswerTools) -> None:
    questions = tools.list_questions()["questions"]
    assert len(questions) == len(list(settings.sql_dir().glob("*.sql")))
    for name in (question["name"] for question in questions):
        assert set(tools.ask_question(name)) >= {"rows", "trust", "question"}, name
    answer = tools.ask_question("segments_by_column", parameters={"column": "region"}, limit=2)
    assert len(answer["rows"]) == 2
    assert answer["more"]


def test_what_is_not_to_be_had_is_said(tools: AnswerTools) -> None:
    for work, message in (
        (lambda: tools.customer("nobody"), "has a row with the id 'nobody'"),
        (lambda: tools.ask_question("segmets"), "there is no ready question"),
        (lambda: tools.ask_question("../sql/runs"), "there is no ready question"),
        (lambda: tools.ask_question("runs", parameters={"gold": "x"}), "reads no parameter 'gold'"),
        (lambda: tools.ask_question("runs", limit=0), "from 1 to 1000"),
    ):
        with pytest.raises(UsageError, match=message):
            work()


def test_the_copy_for_readers_is_read_where_there_is_one(tools: AnswerTools, house: str) -> None:
    before = tools.segments()
    copy = share(settings.warehouse_path()).file
    try:
        assert tools._file() == copy
        assert tools.segments() == before
        # What the copy does not hold is asked of the warehouse.
        [left_out] = tools.ask_question("rejected_rows")["rows"]
        assert (left_out["reason"], left_out["row_count"]) == ("null id", 4)
    finally:
        copy.unlink()


def test_a_client_talks_to_it(house: str) -> None:
    pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")

    async def talk(client: Any) -> None:
        listed = (await client.list_tools()).tools
        names = {tool.name for tool in listed}
        assert names == {
            "list_studies",
            "list_runs",
            "segments",
            "segment_profile",
            "segment_rules",
            "customer",
            "list_questions",
            "ask_question",
        }
        assert all(tool.annotations.read_only_hint for tool in listed)
        answer = (await client.call_tool("segments", {"study": "shop"})).structured_content
        assert len(answer["rows"]) == 3
        assert answer["trust"]["run_id"] == house
        asked_for = {"name": "segment_profile", "parameters": {"segment_id": 2}, "limit": 3}
        answer = (await client.call_tool("ask_question", asked_for)).structured_content
        assert [row["segment_id"] for row in answer["rows"]] == [2, 2, 2]
        wrong = await client.call_tool("segments", {"study": "shp"})
        assert wrong.is_error
        assert "did you mean 'shop'?" in wrong.content[0].text

    before = settings.warehouse_path().read_bytes()
    asyncio.run(with_client(talk))
    assert settings.warehouse_path().read_bytes() == before


async def with_client(talk: Callable[[Any], Awaitable[None]]) -> None:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    script = settings.repository() / "scripts" / "serve_answers.py"
    server = StdioServerParameters(
        command=sys.executable, args=[str(script)], env=settings.environment_of(settings.home())
    )
    async with stdio_client(server) as (reads, writes), ClientSession(reads, writes) as client:
        await client.initialize()
        await talk(client)


def test_without_a_warehouse_it_does_not_begin(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")
    assert serve_answers.main([]) == 1
    assert "segmenthouse.duckdb" in capsys.readouterr().err


def test_without_the_package_the_line_says_how(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert serve_answers.main([]) == 1
    assert capsys.readouterr().err == (
        "error: answering programs needs mcp: pip install -c constraints.txt -e '.[mcp]'\n"
    )
