"""The page to look around in: what it shows is what SQL says, and nobody else may ask."""

from __future__ import annotations

import csv
import io
import json
import shutil
import threading
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from planted_gold import asked
from report_house import Reported

from models_py.base.errors import DataError
from models_py.report.explore import selections
from models_py.report.explore.describing import nice_bins
from models_py.report.explore.server import FOLDER, Explorer, ExploreServer
from models_py.report.explore.selections import Clause
from models_py.studies.loading import parse_study

GOLD = "gold.grocery_customers"


@pytest.fixture(scope="module")
def explorer(explained: Reported, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    made = Explorer(explained.warehouse, tmp_path_factory.mktemp("snapshots"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(explorer: Explorer) -> Iterator[ExploreServer]:
    with ExploreServer(explorer) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def post(server: ExploreServer, path: str, content: object, **headers: str) -> tuple[int, bytes]:
    address = f"http://127.0.0.1:{server.server_address[1]}{path}"
    given = {"Authorization": f"Bearer {server.token}", **headers}
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, given)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def query(server: ExploreServer, run_id: str, sql: str) -> tuple[int, bytes]:
    return post(server, "/query", {"run_id": run_id, "sql": sql})


def test_a_query_is_answered_as_arrow(server: ExploreServer, explained: Reported) -> None:
    status, body = query(server, explained.run_id, "select count(*) as n from customers")
    assert status == 200
    assert pa.ipc.open_stream(body).read_all().to_pylist() == [{"n": 350}]


@pytest.mark.parametrize(
    "sql",
    [
        "drop table customers",
        "create table other as select 1",
        "insert into customers select * from customers",
        "select 1; select 2",
        "copy customers to 'customers.csv'",
        "attach 'other.duckdb'",
        "set threads = 1",
        "call pragma_version()",
        "explain select 1",
        "pivot customers on _segment_id",
        "",
        "select * from read_csv('/etc/passwd')",
        "select * from glob('*')",
        "select * from '/etc/passwd'",
        "select * from read_blob('pyproject.toml')",
        "select * from query('drop table customers')",
        "select * from copy.results.assignments",
        "selec",
    ],
)
def test_nothing_but_a_select_of_the_room_is_answered(
    server: ExploreServer, explained: Reported, sql: str
) -> None:
    status, body = query(server, explained.run_id, sql)
    assert status == 400
    assert json.loads(body)["error"]
    assert query(server, explained.run_id, "select count(*) from customers")[0] == 200


def test_a_long_answer_is_refused(server: ExploreServer, explained: Reported) -> None:
    status, body = query(server, explained.run_id, "select * from range(200001)")
    assert (status, b"200,001 rows" in body) == (400, True)


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer wrong"}, {"Authorization": ""}, {"Host": "evil.example:80"}],
)
def test_without_token_or_by_another_name_nothing_is_told(
    server: ExploreServer, explained: Reported, headers: dict[str, str]
) -> None:
    for path in ("/runs", "/about", "/query", "/refresh", "/nothing"):
        status, body = post(
            server, path, {"run_id": explained.run_id, "sql": "select 1"}, **headers
        )
        assert status == 403, path
        assert b"token" in body


def test_the_page_itself_wants_the_token_and_binds_to_this_machine(server: ExploreServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    bare = server.address.partition("?")[0]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(bare)
    with urllib.request.urlopen(server.address) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status == 200
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_what_is_no_question_is_refused(server: ExploreServer) -> None:
    assert post(server, "/nothing", {})[0] == 404
    assert post(server, "/query", b"no json")[0] == 400
    assert post(server, "/query", [1])[0] == 400
    assert post(server, "/query", {"sql": "select 1"})[0] == 400
    assert post(server, "/query", {}, **{"Content-Length": "1000001"})[0] == 413
    for content in ({"run_id": "nothing"}, {"run_id": 1}):
        assert b"error" in post(server, "/about", content)[1]


def test_the_room_holds_what_the_page_says(explorer: Explorer, explained: Reported) -> None:
    about = explorer.room(explained.run_id, None).about
    assert about["rows"] == 350
    assert about["columns"][0]["name"] == "planted"
    names = [column["name"] for column in about["columns"]]
    assert {"basket_spend_mean", "home", "region", "recency_days"} <= set(names)
    assert "customer_id" not in names
    assert [item["segment_id"] for item in about["segments"]] == [1, 2, 3]


def test_bars_hold_what_their_edges_say(explorer: Explorer, explained: Reported) -> None:
    opened = explorer.room(explained.run_id, None)
    for column in opened.about["columns"]:
        if not column["bar"]:
            continue
        name, low, step = column["name"], column["low"], column["step"]
        wrong = opened.room.fetch(
            f"select count(*) from customers where {column['bar']} is not null and not"
            f' ("{name}" >= {low!r}::double + {step!r}::double * {column["bar"]}'
            f' and "{name}" < {low!r}::double + {step!r}::double * ({column["bar"]} + 1))'
        )
        beyond = opened.room.fetch(
            f'select count(*) from customers where {column["bar"]} is null and "{name}" is not null'
        )
        assert wrong == [(0,)], name
        assert beyond == [(column["beyond"],)], name


def test_a_selection_becomes_a_list(explorer: Explorer, explained: Reported) -> None:
    opened = explorer.room(explained.run_id, None)
    clauses = [Clause("recency_days", 10.0, 30.0), Clause("region", values=("north", "south"))]
    rows = list(csv.DictReader(io.StringIO(selections.customers_csv(opened, clauses))))
    expected = asked(
        explained.warehouse,
        f"select customer_id from {GOLD} where recency_days >= 10 and recency_days < 30"
        " and region in ('north', 'south') order by 1",
    )
    assert [(row["customer_id"],) for row in rows] == expected
    names = {str(item["segment_id"]): item["name"] for item in opened.about["segments"]}
    assert all(names[row["segment_id"]] == row["segment_name"] for row in rows)


def test_a_rule_has_the_precision_that_sql_counts(explorer: Explorer, explained: Reported) -> None:
    opened = explorer.room(explained.run_id, None)
    rule = selections.find_rule(opened, [Clause("_segment_id", values=(2,))])
    members = "select entity_id from results.assignments where run_id = ? and segment_id = 2"
    ((found, both),) = asked(
        explained.warehouse,
        f"select count(*), count(*) filter (customer_id in ({members})) from ({rule['sql']})",
        [explained.run_id],
    )
    assert rule["rows"] == found
    assert rule["precision"] == pytest.approx(both / found)
    assert rule["precision"] > 0.9
    assert rule["recall"] == pytest.approx(both / rule["selected"])
    assert rule["exact"] is None


def test_what_gives_no_rule_says_why(explorer: Explorer, explained: Reported) -> None:
    opened = explorer.room(explained.run_id, None)
    with pytest.raises(DataError, match="0 customers are not selected"):
        selections.find_rule(opened, [])
    with pytest.raises(DataError, match="no column 'nothing'"):
        selections.read_clauses([{"column": "nothing", "values": ["a"]}], opened)
    for wrong in (None, [1], [{"column": "region"}], [{"column": "region", "values": []}]):
        with pytest.raises(DataError, match="no selection"):
            selections.read_clauses(wrong, opened)


def test_a_selection_becomes_a_study_of_the_same_rows(
    explorer: Explorer, explained: Reported
) -> None:
    opened = explorer.room(explained.run_id, None)
    clauses = [Clause("recency_days", 10.0, 30.0), Clause("region", values=("north",))]
    name, text = selections.draft_study(opened, clauses)
    drafted = parse_study(text, name.removesuffix(".toml"))
    assert name == "planted_selection.toml"
    assert drafted.where == {"region": ["north"]}
    assert (drafted.at_least, drafted.under) == ({"recency_days": 10.0}, {"recency_days": 30.0})
    assert drafted.algorithms == opened.study.algorithms
    assert tomllib.loads(text)["table"] == GOLD
    with pytest.raises(DataError, match="gold, which has no segments"):
        selections.draft_study(opened, [Clause("_segment_id", values=(1,))])


def test_two_runs_side_by_side_say_who_moved(explorer: Explorer, explained: Reported) -> None:
    first = next(run["run_id"] for run in explorer.runs() if run["run_id"] != explained.run_id)
    opened = explorer.room(explained.run_id, first)
    flows = opened.room.fetch(
        "select _segment_before, _segment_id, count(*) from customers group by all order by all"
    )
    expected = asked(
        explained.warehouse,
        "select earlier.segment_id, now.segment_id, count(*) from results.assignments as now"
        " left join results.assignments as earlier on earlier.entity_id = now.entity_id"
        " and earlier.run_id = ? where now.run_id = ? group by all order by all",
        [first, explained.run_id],
    )
    assert flows == expected
    assert opened.about["moved"]["came"] == 30
    assert sum(opened.about["moved"].values()) == 350


@pytest.mark.parametrize(
    ("low", "high", "least", "expected"),
    [
        (0.0, 97.0, 0.0, (0.0, 5.0, 20)),
        (0.0, 5.0, 1.0, (0.0, 1.0, 6)),
        (0.12, 0.31, 0.0, (0.12, 0.01, 20)),
    ],
)
def test_bars_are_round(
    low: float, high: float, least: float, expected: tuple[float, float, int]
) -> None:
    start, step, bins = nice_bins(low, high, 30, least)
    assert (start, step, bins) == (pytest.approx(expected[0]), expected[1], expected[2])
    assert start <= low
    assert start + step * bins > high


def test_the_library_comes_with_its_licences() -> None:
    versions = json.loads((FOLDER / "bundle" / "package.json").read_text())["dependencies"]
    licences = (FOLDER / "vgplot.licences.txt").read_text(encoding="utf-8")
    assert f"@uwdata/vgplot {versions['@uwdata/vgplot']} (BSD-3-Clause)" in licences
    assert licences.count("Permission") + licences.count("Redistribution") >= 30
    script = (FOLDER / "vgplot.js").read_text(encoding="utf-8")
    assert "</script" not in script + (FOLDER / "page.js").read_text(encoding="utf-8")


@pytest.fixture
def tab(browser: Any, server: ExploreServer, explained: Reported) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 1500})
    page = context.new_page()
    page.heard, page.asked = [], []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(f"{server.address}&run={explained.run_id}")
    page.locator("#rows tbody tr").first.wait_for()
    page.locator(".chart svg").nth(5).wait_for()
    yield page
    context.close()


def drag(tab: Any, column: str, first: float, last: float) -> None:
    """Drag over a chart between two parts of its width."""
    chart = tab.locator(f".chart[data-column='{column}']")
    chart.scroll_into_view_if_needed()
    box = chart.locator("svg").bounding_box()
    middle = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + first * box["width"], middle)
    tab.mouse.down()
    tab.mouse.move(box["x"] + last * box["width"], middle, steps=4)
    tab.mouse.up()


def counts(tab: Any) -> dict[int, int]:
    rows = tab.locator("#segments tbody tr").all()
    cells = [
        (row.locator("button").get_attribute("data-segment"), row.locator("td").nth(1))
        for row in rows
    ]
    return {int(segment): int(cell.inner_text().replace(",", "")) for segment, cell in cells}


def test_brushing_changes_the_counts_to_those_of_sql(
    tab: Any, server: ExploreServer, explained: Reported
) -> None:
    drag(tab, "basket_spend_mean", 0.35, 0.7)
    tab.locator("#of", has_text="selected of 350").wait_for()
    tab.wait_for_timeout(300)
    low, high = (
        tab.locator("#chips").inner_text().removeprefix("average basket spend ").split(" to under ")
    )
    expected = asked(
        explained.warehouse,
        f"select segment_id, count(*) from results.assignments join {GOLD}"
        " on customer_id = entity_id where run_id = ? and basket_spend_mean >= ?"
        " and basket_spend_mean < ? group by all",
        [explained.run_id, float(low), float(high)],
    )
    assert 0 < sum(count for _, count in expected) < 350
    assert {s: n for s, n in counts(tab).items() if n} == dict(expected)
    total = sum(count for _, count in expected)
    assert tab.locator("#count").inner_text() == f"{total} customers"
    tab.locator("#clear").click()
    tab.locator("#of", has_text="all of them").wait_for()
    assert tab.heard == []
    origin = server.address.partition("/?")[0]
    assert all(url.startswith((origin, "data:", "blob:")) for url in tab.asked)


DRAWN = """() => [...document.querySelectorAll(".chart .plot")].map((plot) =>
  plot.value.marks[1].data.columns).filter((columns) => columns.y && columns.x1).map((columns) =>
  columns.y.reduce((sum, count) => sum + Number(count), 0))"""


def test_while_bars_are_dragged_over_each_chart_asks_once(tab: Any) -> None:
    chart = tab.locator(".chart[data-column='basket_spend_mean'] svg")
    box = chart.bounding_box()
    middle = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 0.4 * box["width"], middle)
    tab.mouse.down()
    selected, queries = [], []
    for part in (0.5, 0.6, 0.75):
        tab.mouse.move(box["x"] + part * box["width"], middle)
        tab.wait_for_timeout(700)
        selected.append(int(tab.locator("#count").inner_text().split()[0]))
        queries.append(sum(url.endswith("/query") for url in tab.asked))
    tab.mouse.up()
    assert selected[0] < selected[1] < selected[2] < 350
    # The list of customers alone asks again.
    assert queries[2] - queries[1] == queries[1] - queries[0] == 1
    drawn = tab.evaluate(DRAWN)
    others = [count for count in drawn if count != 350]
    assert set(others) == {selected[2]}
    assert sum(counts(tab).values()) == selected[2]
    assert tab.heard == []


def test_bars_beyond_a_byte_are_drawn(browser: Any, explained: Reported, tmp_path: Path) -> None:
    path = Path(shutil.copy(explained.warehouse, tmp_path / "wide.duckdb"))
    # Bars of 20 days: the number of a bar is one byte, and 20 times 13 is none.
    with duckdb.connect(str(path)) as database:
        database.execute(f"update {GOLD} set recency_days = recency_days * 7")
    explorer = Explorer(path, tmp_path)
    with ExploreServer(explorer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1280, "height": 1500})
        page.goto(f"{server.address}&run={explained.run_id}")
        page.locator(".chart[data-column='recency_days'] rect").nth(12).wait_for()
        assert not page.locator("#problem").is_visible()
        page.close()
        server.shutdown()
    explorer.close()


def test_charts_filter_each_other_and_the_list(tab: Any, explained: Reported) -> None:
    tab.locator("button.segment").first.click()
    drag(tab, "recency_days", 0.3, 0.6)
    tab.locator("#chips li").nth(1).wait_for()
    tab.wait_for_timeout(600)
    chips = tab.locator("#chips li").all_inner_texts()
    assert chips[0].startswith("1 ")
    low, high = (
        chips[1]
        .removeprefix("time since the last visit ")
        .removesuffix(" days")
        .split(" to under ")
    )
    expected = asked(
        explained.warehouse,
        f"select customer_id from results.assignments join {GOLD} on customer_id = entity_id"
        " where run_id = ? and segment_id = 1 and recency_days >= ? and recency_days < ?"
        " order by 1 limit 25",
        [explained.run_id, float(low), float(high)],
    )
    listed = tab.locator("#rows tbody td:first-child").all_inner_texts()
    assert [(name,) for name in listed] == expected
    with tab.expect_download() as saved:
        tab.locator("#csv").click()
    rows = list(csv.DictReader(Path(saved.value.path()).read_text().splitlines()))
    assert tab.locator("#count").inner_text() == f"{len(rows)} customers"
    tab.locator("#rule").click()
    tab.locator("#found pre").first.wait_for()
    assert GOLD.partition(".")[2] in tab.locator("#found pre").first.inner_text()
    assert tab.locator("#draft").is_disabled()
    assert tab.heard == []


def test_a_run_is_compared_with_the_one_before(tab: Any) -> None:
    tab.locator("#before").select_option(index=1)
    tab.locator("#flows tbody tr").first.wait_for()
    assert tab.locator("#moved-words").inner_text().endswith("Choose a cell to see who.")
    figures = tab.locator("#flows td button").all_inner_texts()
    assert sum(int(text) for text in figures if text) == 350
    cell = next(item for item in tab.locator("#flows td button").all() if item.inner_text())
    wanted = cell.inner_text()
    cell.click()
    tab.locator("#of", has_text="selected of").wait_for()
    assert tab.locator("#count").inner_text() == f"{wanted} customers"
    assert tab.heard == []
