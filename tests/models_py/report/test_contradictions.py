"""No sentence of the page contradicts a table of it: both are read from the page and from SQL."""

from __future__ import annotations

import re
from html import unescape

import pytest
from planted_gold import asked
from report_house import Reported

from models_py.base.numbers import plain, share
from models_py.report.facts import read_facts
from models_py.report.sections.choosing import choosing_section, counted_silhouettes


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    assert match, f"no sentence like {pattern}"
    return match.groups()


def rows_of(table: str) -> list[list[str]]:
    return [
        [words_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    ]


@pytest.fixture(scope="module")
def page(explained: Reported) -> str:
    return explained.html.partition("</style>")[2].partition("<script>")[0]


@pytest.fixture(scope="module")
def why(page: str) -> str:
    return page.partition('<section id="why">')[2].partition("</section>")[0]


def test_candidates_that_a_rule_excluded(explained: Reported, why: str) -> None:
    text = words_of(why)
    tried, of, least = found(
        r"(\d+) candidates were tried\..* of (\d+) candidates with ([\d.]+%) or more", text
    )
    ((count, eligible),) = asked(
        explained.warehouse,
        "select count(*), count(*) filter (smallest_share >= ?) from results.model_search"
        " where run_id = ?",
        [float(least.rstrip("%")) / 100, explained.run_id],
    )
    assert (int(tried), int(of)) == (count, eligible)


def test_the_chosen_candidate_has_the_figures_of_its_reason(explained: Reported, why: str) -> None:
    chosen = [row for row in rows_of(why) if row and row[-1] == "chosen"]
    assert len(chosen) == 1
    own, best = found(r"ommon-space silhouette (\S+), best (\S+),", words_of(why))
    assert own in chosen[0]
    figures = [float(cell) for row in rows_of(why)[1:] for cell in row if cell == best]
    assert figures, "the best that the reason tells stands in no row"
    segments = asked(
        explained.warehouse,
        "select count(*) from results.segments where run_id = ?",
        [explained.run_id],
    )
    assert chosen[0][1] == str(segments[0][0])


def test_the_lowest_overlap_is_one_figure(explained: Reported, page: str) -> None:
    ((lowest, stable),) = asked(
        explained.warehouse,
        "select min(stability), count(*) filter (is_stable) from results.segments where run_id = ?",
        [explained.run_id],
    )
    text = words_of(page)
    told = re.findall(r"lowest Jaccard ([\d.]+)\)|weakest ([\d.]+) of 1|come back (whole)", text)
    assert len(told) >= 2
    figures = {1.0 if whole else float(a or b) for a, b, whole in told}
    assert figures == {round(lowest, 2)}
    badges = [float(badge) for badge in re.findall(r">(?:un)?stable ([\d.]+)</span>", page)]
    assert min(badges) == round(lowest, 2)
    assert f"{stable} of {len(badges)} come back" in text


def test_shares_and_silhouettes_are_the_same_wherever_they_stand(
    explained: Reported, page: str
) -> None:
    sizes = page.partition('<section id="sizes">')[2].partition("</section>")[0]
    for segment_id, part, silhouette in asked(
        explained.warehouse,
        "select segment_id, share, silhouette from results.segments where run_id = ?",
        [explained.run_id],
    ):
        card = words_of(page.partition(f'id="segment-{segment_id}"')[2].partition("</article>")[0])
        first = words_of(page.partition(f'<tr data-of="{segment_id}">')[2].partition("</tr>")[0])
        table = next(row for row in rows_of(sizes) if row[0].startswith(f"{segment_id} "))
        assert f", {share(part)} " in card
        assert f" {share(part)} " in first
        assert share(part) in table
        assert f"silhouette, \N{MINUS SIGN}1 to 1 {plain(silhouette)} (all " in card
        drawn = page.partition('id="figure-silhouette"')[2].partition("</figure>")[0]
        (tip,) = re.findall(rf'data-tip="{segment_id} [^"]*: mean ([\d.]+)"', drawn)
        assert float(tip) == pytest.approx(silhouette, abs=0.006)


def test_moves_add_up_to_their_sentence(page: str) -> None:
    section = page.partition('<section id="changes">')[2].partition("</section>")[0]
    changed, came, went = found(
        r"(\S+) of the customers in both runs changed segment, (\d+) came, (\d+) went",
        words_of(section),
    )
    moves = [row for row in rows_of(section) if len(row) == 3 and row[2].replace(",", "").isdigit()]
    counts = [(source, target, int(n.replace(",", ""))) for source, target, n in moves]
    both = [m for m in counts if m[0] != "not there before" and m[1] != "gone"]
    moved = sum(n for source, target, n in both if source.split()[0] != target.split()[0])
    assert int(came) == sum(n for source, _, n in counts if source == "not there before")
    assert int(went) == sum(n for _, target, n in counts if target == "gone")
    assert changed == share(moved / sum(n for _, _, n in both))


def test_the_largest_and_the_smallest_are_those_of_the_table(page: str) -> None:
    header = page.partition("<main")[0]
    rows = rows_of(header.partition("<tbody>")[2])
    parts = [float(row[1].rstrip("%")) for row in rows]
    names = [row[0].partition(" ")[2].lower() for row in rows]
    text = words_of(header)
    largest, smallest = found(
        r"The largest, \N{LEFT DOUBLE QUOTATION MARK}(.+?)\N{RIGHT DOUBLE QUOTATION MARK},.*"
        r"the smallest, \N{LEFT DOUBLE QUOTATION MARK}(.+?)\N{RIGHT DOUBLE QUOTATION MARK},",
        text,
    )
    assert names[parts.index(max(parts))] == largest.lower()
    assert names[parts.index(min(parts))] == smallest.lower()


def test_rows_left_as_noise_count_nothing_in_the_table_as_in_the_choice(
    explained: Reported,
) -> None:
    facts = read_facts(explained.run_id, explained.warehouse)
    search = facts.tables["model_search"].copy()
    search["noise_share"] = 0.0
    other = search.index[~search["is_chosen"]][0]
    search.loc[other, ["common_silhouette", "noise_share"]] = (0.9, 0.75)
    facts.tables["model_search"] = search
    assert facts.study.choose.by == "rule"
    assert counted_silhouettes(facts).loc[other, "common_silhouette"] == pytest.approx(0.225)
    ((_, table),) = choosing_section(facts).tables
    assert "noise" in table.head
    assert [row for row in table.rows if "75%" in row and "0.225" in row]
    assert not [row for row in table.rows if "0.900" in row]
