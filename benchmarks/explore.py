"""The page to look around in, at a million customers: seconds to its first picture, and of a brush.

A study runs on planted customers, which are then copied with small changes to the rows asked for,
each with its segment. The page is opened in Chromium and a chart is dragged over, step by step; a
brush ends with the last change of a chart, the count or the table of segments.

Example::

    python benchmarks/explore.py --rows 1000000 --json
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
from extras import need
from planted_data import SHOP_STUDY, SHOP_TABLE, planted_customers

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.pipeline import run_study
from models_py.report.explore.server import Explorer, ExploreServer
from models_py.studies.loading import check_study

PLANTED = 5_000
MOVES = 20
STEP = 12
"""Pixels a move, about a bar."""
SETTLED = 300.0
"""Milliseconds without a change after which the charts are drawn."""
WATCH = """
window.asked = 0; window.answered = 0; window.changed = 0;
document.addEventListener("DOMContentLoaded", () => new MutationObserver((changes) => {
  const isDrawn = ({ target }) => target.closest?.(".plot, #count, #segments");
  if (changes.some(isDrawn)) window.changed = performance.now();
}).observe(document.body, { childList: true, subtree: true }));
const before = window.fetch;
window.fetch = async (...given) => {
  window.asked += 1;
  const response = await before(...given);
  const body = await response.blob();
  setTimeout(() => requestAnimationFrame(() => { window.answered += 1; }));
  return new Response(body, response);
};
"""
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def find_segments(path: Path, rows: int, seed: int) -> str:
    """Run the study on planted customers, and copy these to ``rows``; return the run."""
    frame, _ = planted_customers(PLANTED, 6, seed=seed)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema gold")
        database.register("given", frame)
        database.execute(f"create table {SHOP_TABLE} as select * from given")
    run_id = run_study(check_study(SHOP_STUDY, "benchmark"), path, seed, Silent()).run_id
    copies = -(-rows // PLANTED)
    numbers = [
        f"({name} * (0.8 + 0.4 * random()))::double as {name}"
        for name in ("spend_amount", "basket_amount", "days_since_visit")
    ]
    with duckdb.connect(str(path)) as database:
        database.execute("select setseed(0.5)")
        database.execute(
            f"create or replace table {SHOP_TABLE} as select * exclude (copy) replace"
            f" (customer_id || '-' || copy as customer_id, {', '.join(numbers)})"
            f" from {SHOP_TABLE}, range({copies}) as copies(copy) limit {rows}"
        )
        database.execute(
            "create or replace table results.assignments as select * exclude (copy)"
            " replace (entity_id || '-' || copy as entity_id)"
            f" from results.assignments, range({copies}) as copies(copy)"
        )
    return run_id


def measure(server: ExploreServer, run_id: str) -> dict[str, Any]:
    """Open the page twice, drag over a chart; return seconds."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.add_init_script(WATCH)
        first = []
        for _ in range(3):
            began = time.perf_counter()
            page.goto(f"{server.address}&run={run_id}")
            page.locator(".chart svg").nth(5).wait_for()
            _wait_until_drawn(page)
            first.append(time.perf_counter() - began - SETTLED / 1000)
        chart = page.locator(".chart svg g[aria-label='rect']").first.locator("xpath=..")
        chart.scroll_into_view_if_needed()
        page.wait_for_timeout(1000)
        box = chart.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 60, middle)
        page.mouse.down()
        brushes = []
        for move in range(MOVES):
            count, began = page.evaluate("[document.body.dataset.count, performance.now()]")
            page.mouse.move(box["x"] + 80 + STEP * move, middle)
            page.wait_for_timeout(SETTLED / 2)
            _wait_until_drawn(page)
            # A move within a bar selects nothing new.
            if page.evaluate("document.body.dataset.count") != count:
                brushes.append((page.evaluate("window.changed") - began) / 1000)
        page.mouse.up()
        in_sight = page.evaluate(
            "[...document.querySelectorAll('.plot')].filter((plot) => {"
            " const box = plot.getBoundingClientRect();"
            " return box.bottom > 0 && box.top < innerHeight; }).length"
        )
        browser.close()
    return {
        "first_picture_seconds": first,
        "brush_first_seconds": brushes[0],
        "brush_median_seconds": statistics.median(brushes),
        "brush_slowest_seconds": max(brushes),
        "brushes": len(brushes),
        "charts_in_sight": in_sight,
    }


def _wait_until_drawn(page: Any) -> None:
    # Polled from here: the page's policy forbids what would wait inside.
    while True:
        asked, answered, idle = page.evaluate(
            "[window.asked, window.answered, performance.now() - window.changed]"
        )
        if asked == answered and idle > SETTLED:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    need("playwright", "lightgbm", extra="dev")
    with tempfile.TemporaryDirectory() as folder:
        os.environ[settings.HOME_VARIABLE] = folder
        path = Path(folder) / "shop.duckdb"
        run_id = find_segments(path, asked.rows, asked.seed)
        began = time.perf_counter()
        explorer = Explorer(path, Path(folder))
        copied = time.perf_counter()
        explorer.room(run_id, None)
        opened = time.perf_counter()
        server = ExploreServer(explorer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        figures = {
            "rows": asked.rows,
            "cores": settings.core_count(),
            "load_before": os.getloadavg()[0],
            "copy_seconds": copied - began,
            "room_seconds": opened - copied,
            **measure(server, run_id),
        }
        server.shutdown()
    if asked.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:>24}  {value}")


if __name__ == "__main__":
    main()
