"use strict";
// The charts are Mosaic's: each asks SQL of its own, filtered by what is selected in the others.
(async () => {
  const asked = new URLSearchParams(location.search);
  const at = (id) => document.getElementById(id);
  const CHARTS = 9;
  const ROWS = 25;
  let room, brush, backdrop, shown, sorted, about, ages;

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  async function ask(path, content = {}) {
    const response = await fetch(path, {
      method: "POST",
      headers: { Authorization: `Bearer ${asked.get("token")}` },
      body: JSON.stringify({ ...room, ...content }),
    });
    if (response.headers.get("Content-Type").startsWith("application/json")) {
      const answer = await response.json();
      if (answer.error) throw new Error(answer.error);
      return answer;
    }
    return response;
  }

  function tell(error) {
    at("problem").textContent = error ? error.message ?? String(error) : "";
    at("problem").hidden = !error;
  }

  const guarded = (work) => async (event) => {
    tell(null);
    try {
      await work(event);
    } catch (error) {
      tell(error);
    }
  };

  const whole = (value) => Number(value).toLocaleString("en");
  const share = (part, all) => (all ? `${((100 * part) / all).toFixed(part && part / all < 0.0995 ? 1 : 0)}%` : "");

  function figure(value, { unit = "", kind = "number" } = {}) {
    if (value === null || value === undefined || Number.isNaN(value)) return "";
    if (kind === "share") return share(value, 1);
    const size = Math.abs(value);
    if (size > 0 && size < 0.001) return value > 0 ? "under 0.001" : "above -0.001";
    const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.01 ? 2 : 4;
    const text = Number(value).toLocaleString("en", { maximumFractionDigits: digits });
    return unit ? `${text} ${unit}` : text;
  }

  const coordinator = vg.coordinator();
  coordinator.logger(null);
  coordinator.preaggregator.enabled = false; // it would create tables; only select is answered
  coordinator.databaseConnector({
    query: async ({ sql }) => {
      try {
        return new Uint8Array(await (await ask("/query", { sql })).arrayBuffer());
      } catch (error) {
        tell(error);
        throw error;
      }
    },
  });

  const colour = (id) => {
    const segment = about.segments.find((item) => item.segment_id === id);
    return segment ? `var(--s${segment.colour})` : "var(--quiet)";
  };
  const nameOf = (list, id) => {
    if (id === null) return "was not there";
    const segment = list.find((item) => item.segment_id === id);
    return segment ? (id ? `${id} ${segment.name}` : segment.name) : String(id);
  };
  const columnOf = (name) => about.columns.find((column) => column.name === name);
  const said = (column, value) =>
    value === true ? "yes" : value === false ? "no" : value === null ? "not given" : String(value);

  // What is selected, as the server reads it: one clause a column.
  function clauses() {
    return brush.clauses.flatMap((clause) => {
      if (clause.value === null || clause.value === undefined || !clause.predicate) return [];
      const names = clause.fields.map((field) => field.column);
      if (clause.meta.type === "interval") {
        const ranges = names.length > 1 ? clause.value : [clause.value];
        return names.map((column, place) => ({ column, low: ranges[place][0], high: ranges[place][1] }));
      }
      return names.map((column, place) => ({
        column, values: [...new Set(clause.value.map((point) => point[place]))],
      }));
    });
  }

  function wordsOf({ column, low, high, values }) {
    if (column === "_segment_id") return values.map((id) => nameOf(about.segments, id)).join(" or ");
    if (column === "_segment_before") {
      return `before: ${values.map((id) => nameOf(about.segments_before, id)).join(" or ")}`;
    }
    const { words, unit, kind } = columnOf(column);
    if (values) return `${words}: ${values.map((value) => said(column, value)).join(" or ")}`;
    return `${words} ${figure(low, { kind })} to under ${figure(high, { unit, kind })}`;
  }

  function drawChips() {
    const list = clauses();
    at("chips").replaceChildren(
      ...list.map((clause) => make("li", {}, make("span", { className: "quiet", textContent: wordsOf(clause) }))),
    );
    for (const id of ["clear", "csv", "rule"]) at(id).disabled = list.length === 0;
    at("draft").disabled = list.length === 0 || list.some(({ column }) => column.startsWith("_"));
    at("found").hidden = true;
    tell(null);
    markSegments();
  }

  function markSegments() {
    const clause = clauses().find(({ column, values }) => column === "_segment_id" && values);
    const chosen = new Set((clause?.values ?? []).map(String));
    document.querySelectorAll("button.segment").forEach((button) => {
      button.setAttribute("aria-pressed", String(chosen.has(button.dataset.segment)));
    });
  }

  // While bars of one chart are dragged over, the others ask once, by these bars as well, and add
  // up those that are taken: the question stays the same, and the coordinator keeps its answer.
  const TAKEN = "_taken";
  const cubes = new WeakMap();

  function cubeOf(table, counted) {
    if (cubes.has(table)) return cubes.get(table);
    const columns = Object.fromEntries(table.schema.fields.map(({ name }, place) => [name, table.getChildAt(place)?.toArray() ?? []]));
    const taken = columns[TAKEN];
    const groups = Object.keys(columns).filter((name) => name !== TAKEN && !counted.includes(name));
    const numbers = new Map();
    const first = [];
    const group = Int32Array.from({ length: taken ? table.numRows : 0 }, (_, row) => {
      const key = groups.map((name) => `${typeof columns[name][row]} ${columns[name][row]}`).join("\0");
      if (!numbers.has(key)) numbers.set(key, first.push(row) - 1);
      return numbers.get(key);
    });
    const cube = { columns, taken, groups, group, first };
    cubes.set(table, cube);
    return cube;
  }

  function asksOnce(groups, sums) {
    const counted = Object.keys(sums);
    let clause = null;
    return {
      query(filter) {
        const { active } = brush;
        clause = active?.bar && filter?.includes(active.predicate) ? active : null;
        const by = clause ? { ...groups, [TAKEN]: vg.column(clause.bar) } : groups;
        const others = clause ? filter.filter((predicate) => predicate !== clause.predicate) : filter;
        return vg.Query.from("customers").select({ ...by, ...sums }).where(others).groupby(...Object.values(by));
      },
      names: () => [...Object.keys(groups), ...(clause ? [TAKEN] : []), ...counted],
      columns(table) {
        const { columns, taken, groups: own, group, first } = cubeOf(table, counted);
        if (!taken) return { numRows: table.numRows, columns };
        const [low, high] = clause?.taken ?? [-Infinity, Infinity];
        const totals = counted.map(() => new Float64Array(first.length));
        group.forEach((place, row) => {
          if (taken[row] === null || taken[row] < low || taken[row] > high) return;
          counted.forEach((name, at) => { totals[at][place] += Number(columns[name][row] ?? 0); });
        });
        const kept = first.flatMap((row, place) => (totals[0][place] ? [[row, place]] : []));
        return {
          numRows: kept.length,
          columns: Object.fromEntries([
            ...own.map((name) => [name, kept.map(([row]) => columns[name][row])]),
            ...counted.map((name, at) => [name, kept.map(([, place]) => totals[at][place])]),
          ]),
        };
      },
    };
  }

  // Sums by groups of what the others select; the first sum counts the rows.
  function summed(groups, sums, use) {
    const asking = asksOnce(groups, sums);
    return vg.makeClient({
      coordinator, selection: brush, filterStable: false, query: asking.query,
      queryResult: (table) => {
        const { numRows, columns } = asking.columns(table);
        use(Array.from({ length: numRows }, (_, row) => Object.fromEntries(Object.keys(columns).map((name) => [name, columns[name][row]]))));
      },
    });
  }

  const client = (query, queryResult, selection = brush) => vg.makeClient({
    coordinator, selection, filterStable: false, query,
    queryResult: (data) => queryResult(data.toArray()),
  });

  function drawCount() {
    summed(
      {}, { count: vg.count() },
      ([row]) => {
        const count = row?.count ?? 0;
        at("count").textContent = `${whole(count)} ${about.things}`;
        at("of").textContent = Number(count) === about.rows
          ? "all of them" : `selected of ${whole(about.rows)} (${share(Number(count), about.rows)})`;
        document.body.dataset.count = String(count);
      },
    );
  }

  function drawSegments() {
    const figures = about.columns.filter(({ kind }) => kind !== "word").slice(0, 4);
    const titles = ["segment", about.things, "", "of the segment", ...figures.map(({ words }) => `average ${words}`)];
    const head = make("thead", {}, make("tr", {}, ...titles.map((title, place) =>
      make("th", { textContent: title, className: place ? "" : "words", scope: "col" }))));
    const body = make("tbody");
    at("segments").replaceChildren(head, body);
    const sizes = new Map();
    const own = summed(
      { segment: vg.column("_segment_id") },
      Object.fromEntries([["count", vg.count()], ...figures.flatMap(({ name }, place) => [
        [`f${place}`, vg.sql`sum(${vg.column(name)}::double)`], [`n${place}`, vg.count(vg.column(name))],
      ])]),
      (rows) => {
        const of = new Map(rows.map((row) => [row.segment, row]));
        if (!sizes.size) rows.forEach((row) => sizes.set(row.segment, Number(row.count)));
        const most = Math.max(1, ...rows.map((row) => Number(row.count)));
        body.replaceChildren(...about.segments.map(({ segment_id: id }) => {
          const row = of.get(id);
          const count = Number(row?.count ?? 0);
          const button = make("button", { type: "button", className: "segment" },
            make("span", { className: "chip", style: `background: ${colour(id)}` }), nameOf(about.segments, id));
          button.dataset.segment = id;
          button.addEventListener("click", () => toggle(id));
          const bar = make("span", { className: "bar", style: `background: ${colour(id)}; width: ${(100 * count) / most}%` });
          return make("tr", {}, make("td", { className: "words" }, button),
            make("td", { textContent: whole(count) }), make("td", { className: "track" }, bar),
            make("td", { textContent: share(count, sizes.get(id) ?? 0) }),
            ...figures.map((column, place) => make("td", { textContent: row ? figure(Number(row[`f${place}`]) / Number(row[`n${place}`]), column) : "" })));
        }));
        markSegments();
      },
    );
    let chosen = [];
    own.reset = () => { chosen = []; };
    function toggle(id) {
      chosen = chosen.includes(id) ? chosen.filter((item) => item !== id) : [...chosen, id];
      brush.update(vg.clausePoints([vg.column("_segment_id")], chosen.length ? chosen.map((item) => [item]) : null, { source: own }));
    }
  }

  function drawFlows() {
    at("moved").hidden = !about.moved;
    if (!about.moved) return;
    const { stayed, moved, came } = about.moved;
    at("moved-words").textContent = `${whole(moved)} of ${whole(stayed + moved)} in both runs moved (${share(moved, stayed + moved)}), `
      + `${whole(came)} came. Rows: where they were; columns: where they are. Choose a cell to see who.`;
    let cell = null;
    const own = summed(
      { before: vg.column("_segment_before"), now: vg.column("_segment_id") }, { count: vg.count() },
      (rows) => {
        const of = new Map(rows.map(({ before, now, count }) => [`${before}/${now}`, Number(count)]));
        const ids = [...about.segments_before.map((item) => item.segment_id), null];
        const head = make("tr", {}, make("th"), ...about.segments.map(({ segment_id: id }) =>
          make("th", { textContent: id, title: nameOf(about.segments, id), scope: "col" })));
        const body = ids.map((before) => {
          const total = about.segments.reduce((sum, { segment_id: now }) => sum + (of.get(`${before}/${now}`) ?? 0), 0);
          return make("tr", {}, make("th", { className: "words", scope: "row", textContent: nameOf(about.segments_before, before) }),
            ...about.segments.map(({ segment_id: now }) => {
              const count = of.get(`${before}/${now}`) ?? 0;
              const button = make("button", { type: "button", textContent: count ? whole(count) : "" });
              button.setAttribute("aria-label", `${nameOf(about.segments_before, before)} to ${nameOf(about.segments, now)}: ${whole(count)}`);
              button.addEventListener("click", () => choose(before, now));
              const data = make("td", {}, button);
              data.style.setProperty("--part", total ? count / total : 0);
              return data;
            }));
        });
        at("flows").replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
      },
    );
    own.reset = () => { cell = null; };
    function choose(before, now) {
      const same = cell && cell[0] === before && cell[1] === now;
      cell = same ? null : [before, now];
      brush.update(vg.clausePoints([vg.column("_segment_before"), vg.column("_segment_id")], cell && [cell], { source: own }));
    }
  }

  const all = () => vg.from("customers", { filterBy: backdrop });
  const selected = () => vg.from("customers", { filterBy: brush });
  const colours = () => [
    vg.colorDomain(about.segments.map((item) => item.segment_id)),
    vg.colorRange(about.segments.map((item) => `var(--s${item.colour})`)),
  ];

  // Where a bar of a column begins, or ends; a bar's number is one byte, which 20 times 13 is not.
  const edge = ({ low, step, bar }, last) => vg.sql`${low} + ${step} * (${vg.column(bar)}::double + ${last})`;

  // The mark before asks for groups; the edges of bars are made of their numbers alone.
  const grouped = (groups, counted, edges) => ({ marks }) => {
    const mark = marks.at(-1);
    const asking = asksOnce(Object.fromEntries(groups.map((name) => [name, vg.column(name)])), { [counted]: vg.count() });
    mark.query = (filter) => {
      const bars = asking.query(filter);
      return edges ? vg.Query.from({ bars }).select(edges, ...asking.names().filter((name) => !name.startsWith("_bin_"))) : bars;
    };
    mark.queryResult = (table) => {
      mark.data = asking.columns(table);
      return mark;
    };
  };

  // What is dragged over takes whole bars: their numbers are compared, which is quick, and the
  // edges of bars are round numbers that a rule or a study can say.
  function takeBars(columns, published) {
    const source = { reset: () => { source.key = ""; published.clauses.forEach((clause) => clause.source.reset()); }, key: "" };
    published.addEventListener("value", () => {
      const range = published.value;
      const ranges = !range ? null : columns.length > 1 ? range : [range];
      const bars = ranges?.map(([low, high], place) => {
        const { low: start, step, bins } = columns[place];
        const at = (value) => Math.min(Math.max(Math.floor((value - start) / step + 1e-9), 0), bins - 1);
        return [at(low), at(high - 1e-9 * step)];
      });
      const key = JSON.stringify(bars ?? "");
      if (key === source.key) return;
      source.key = key;
      const edges = bars?.map(([first, last], place) => {
        const { low, step } = columns[place];
        return [low + step * first, low + step * (last + 1)];
      });
      const parts = bars?.map((pair, place) => vg.isBetween(vg.column(columns[place].bar), pair));
      brush.update({
        source, clients: source.clients, meta: { type: "interval" }, fields: columns.map(({ name }) => vg.column(name)),
        value: edges ? (columns.length > 1 ? edges : edges[0]) : null, predicate: parts ? vg.and(...parts) : null,
        ...(bars?.length === 1 ? { bar: columns[0].bar, taken: bars[0] } : {}),
      });
    });
    return ({ marks }) => { source.clients = new Set(marks); };
  }

  function drawNumber(column) {
    const edges = { x1: edge(column, 0), x2: edge(column, 1) };
    const bars = { ...edges, y: vg.count(), inset: 0.5 };
    const published = vg.Selection.single();
    return vg.plot(
      vg.rectY(all(), { ...bars, fill: "var(--rule)" }),
      grouped([column.bar], "y", edges),
      vg.rectY(selected(), { ...bars, fill: "_segment_id" }),
      grouped([column.bar, "_segment_id"], "y", edges),
      takeBars([column], published),
      vg.intervalX({ as: published, field: column.name }),
      vg.xDomain([column.low, column.low + column.step * column.bins]),
      vg.xLabel(null), vg.yLabel(null), vg.xTicks(5), vg.yTicks(4), vg.xTickFormat(column.kind === "share" ? "~%" : "~s"), vg.yTickFormat("~s"),
      vg.width(300), vg.height(150), vg.marginLeft(38), vg.marginTop(8), vg.marginRight(12), vg.marginBottom(24), ...colours(),
    );
  }

  function drawWord(column) {
    const bars = { y: column.name, x: vg.count(), inset: 0.5 };
    const short = (value) => { const text = said(column.name, value); return text.length > 17 ? `${text.slice(0, 16)}\u2026` : text; };
    return vg.plot(
      vg.barX(all(), { ...bars, fill: "var(--rule)" }),
      vg.barX(selected(), { ...bars, fill: "_segment_id" }),
      grouped([column.name, "_segment_id"], "x"),
      vg.toggleY({ as: brush }),
      vg.yDomain(column.values), vg.yTickFormat(short), vg.xLabel(null), vg.yLabel(null), vg.xTicks(4), vg.xTickFormat("~s"),
      vg.width(300), vg.height(Math.min(34 + 19 * column.values.length, 320)),
      vg.marginLeft(112), vg.marginTop(4), vg.marginRight(12), vg.marginBottom(24), ...colours(),
    );
  }

  function drawChart(column) {
    const beyond = column.beyond ? `, ${whole(column.beyond)} beyond the edges` : "";
    const note = column.kind === "word" ? "" : `${column.unit || (column.kind === "share" ? "share" : "value")}${beyond}`;
    const chart = make("div", { className: "chart" }, make("h3", { textContent: column.words }),
      column.kind === "word" ? drawWord(column) : drawNumber(column));
    if (note) chart.append(make("p", { className: "quiet", textContent: note }));
    chart.dataset.column = column.name;
    return chart;
  }

  // A chart out of sight asks again when it comes into sight.
  const watcher = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
    target.querySelector(".plot")?.value.marks.forEach((mark) => { mark.enabled = isIntersecting; });
  }), { rootMargin: "200px" });

  function drawCharts(most) {
    const rest = about.columns.slice(shown, most).map(drawChart);
    at("charts").append(...rest);
    rest.forEach((chart) => watcher.observe(chart));
    shown = Math.min(most, about.columns.length);
    at("more").hidden = shown >= about.columns.length;
    at("more").textContent = `${about.columns.length - shown} more columns`;
  }

  function drawMap() {
    const [across, up] = [columnOf(at("across").value), columnOf(at("up").value)];
    const published = vg.Selection.single();
    brush.reset(brush.clauses.filter(({ fields }) => fields.length > 1 && !fields[0].column.startsWith("_")));
    const edges = { x1: edge(across, 0), x2: edge(across, 1), y1: edge(up, 0), y2: edge(up, 1) };
    const [faint, strong] = ["--hair", "--accent"].map((name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim());
    at("map").replaceChildren(vg.plot(
      vg.rect(selected(), { ...edges, fill: vg.count() }),
      grouped([across.bar, up.bar], "fill", edges),
      takeBars([across, up], published),
      vg.intervalXY({ as: published, xfield: across.name, yfield: up.name }),
      vg.xDomain([across.low, across.low + across.step * across.bins]),
      vg.yDomain([up.low, up.low + up.step * up.bins]),
      vg.xLabel(`${across.words}${across.unit ? `, ${across.unit}` : ""} \u2192`), vg.yLabel(`\u2191 ${up.words}${up.unit ? `, ${up.unit}` : ""}`),
      vg.colorScale("sqrt"), vg.colorRange([faint, strong]), vg.xTickFormat(across.kind === "share" ? "~%" : "~s"), vg.yTickFormat(up.kind === "share" ? "~%" : "~s"),
      vg.width(Math.min(620, document.body.clientWidth - 40)), vg.height(340), vg.marginLeft(48),
    ));
    watcher.unobserve(at("map")); watcher.observe(at("map"));
  }

  function drawRows() {
    const columns = about.columns.slice(0, 8);
    const titles = [[about.entity, about.entity], ["_segment_id", "segment"], ...columns.map(({ name, words }) => [name, words])];
    const isWord = (name) => columnOf(name)?.kind !== "number" && columnOf(name)?.kind !== "share";
    sorted = { name: about.entity, falls: false };
    const calm = vg.Selection.intersect();
    const follow = () => {
      const parts = brush.clauses.map((clause) => clause.predicate).filter(Boolean);
      calm.update({ source: calm, clients: new Set(), value: parts.length || null, meta: { type: "point" }, fields: [], predicate: parts.length ? vg.and(...parts) : null });
    };
    brush.addEventListener("value", () => { clearTimeout(drawRows.timer); drawRows.timer = setTimeout(follow, 250); });
    const own = client(
      (filter) => vg.Query.from("customers").select(Object.fromEntries(titles.map(([name], place) => [`c${place}`, vg.column(name)])))
        .where(filter).orderby(sorted.falls ? vg.desc(vg.column(sorted.name)) : vg.asc(vg.column(sorted.name))).limit(ROWS),
      (rows) => {
        const head = titles.map(([name, words]) => {
          const button = make("button", { type: "button", textContent: words });
          button.addEventListener("click", () => {
            sorted = { name, falls: sorted.name === name && !sorted.falls };
            own.requestQuery();
          });
          const title = make("th", { scope: "col", className: isWord(name) ? "words" : "" }, button);
          if (sorted.name === name) title.setAttribute("aria-sort", sorted.falls ? "descending" : "ascending");
          return title;
        });
        const text = (value, place) => {
          if (place === 0) return String(value);
          if (place === 1) return String(value);
          const column = columns[place - 2];
          return column.kind === "word" ? said(column.name, value) : figure(value === null ? NaN : Number(value), column);
        };
        at("rows").replaceChildren(make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows.map((row) =>
          make("tr", {}, ...titles.map((_, place) => make("td", {
            textContent: text(row[`c${place}`], place), className: isWord(titles[place][0]) ? "words" : "",
          }))))));
        at("rows-words").textContent = rows.length < ROWS ? `${rows.length} ${about.things}` : `The first ${ROWS} of the selection; a click on a title sorts.`;
      },
      calm,
    );
  }

  function fill(select, options, chosen) {
    select.replaceChildren(...options.map(([value, textContent]) => make("option", { value, textContent })));
    select.value = chosen;
  }

  let runs = [];
  function drawChoices() {
    const study = about.study;
    fill(at("study"), [...new Set(runs.map((run) => run.study))].map((name) => [name, name]), study);
    const own = runs.filter((run) => run.study === study).map((run) => [run.run_id, run.when]);
    fill(at("run"), own, room.run_id);
    fill(at("before"), [["", "no other run"], ...own.filter(([id]) => id !== room.run_id)], room.before_id ?? "");
  }

  function drawAge() {
    const minutes = Math.floor((Date.now() - Date.parse(about.taken_at)) / 60000);
    const age = minutes < 1 ? "less than a minute" : minutes === 1 ? "a minute" : minutes < 120 ? `${minutes} minutes` : `${Math.floor(minutes / 60)} hours`;
    at("age").textContent = `${about.table} as it was ${age} ago: a copy, so that nobody who writes has to wait.`;
  }

  async function open(run_id, before_id) {
    const wanted = { run_id, before_id: before_id || null };
    room = wanted;
    about = await ask("/about");
    coordinator.clear();
    brush = vg.Selection.crossfilter();
    backdrop = vg.Selection.intersect();
    brush.addEventListener("value", drawChips);
    at("title").textContent = about.title;
    document.title = `Explore: ${about.title}`;
    at("left-out").textContent = about.withheld
      ? `${whole(about.left_out)} ${about.things} of ${about.withheld} segments of few members are left out.` : "";
    shown = 0;
    at("alone").checked = false;
    watcher.disconnect();
    at("charts").replaceChildren();
    const figures = about.columns.filter(({ kind, bins }) => kind !== "word" && bins).map(({ name, words }) => [name, words]);
    at("two").hidden = figures.length < 2;
    drawChoices();
    drawAge();
    drawChips();
    drawCount();
    drawSegments();
    drawFlows();
    drawCharts(CHARTS);
    if (figures.length > 1) {
      fill(at("across"), figures, figures[0][0]);
      fill(at("up"), figures, figures[1][0]);
      drawMap();
    }
    drawRows();
    clearInterval(ages);
    ages = setInterval(drawAge, 30000);
  }

  async function save(path) {
    const response = await ask(path, { clauses: clauses() });
    const name = /filename="(.+)"/.exec(response.headers.get("Content-Disposition"))[1];
    const link = make("a", { href: URL.createObjectURL(await response.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function showRule() {
    const rule = await ask("/rule", { clauses: clauses() });
    const words = `${share(rule.precision, 1)} of the ${whole(rule.rows)} ${about.things} that it finds are selected; `
      + `it finds ${share(rule.recall, 1)} of the ${whole(rule.selected)} selected.`;
    at("found").replaceChildren(
      make("h3", { textContent: rule.text }), make("p", { textContent: words }), make("pre", { textContent: rule.sql }),
      ...(rule.exact ? [make("p", { textContent: "Exactly these are:" }), make("pre", { textContent: `where ${rule.exact}` })] : []),
    );
    at("found").hidden = false;
  }

  at("study").addEventListener("change", guarded(() => open(runs.find((run) => run.study === at("study").value).run_id, null)));
  at("run").addEventListener("change", guarded(() => open(at("run").value, null)));
  at("before").addEventListener("change", guarded(() => open(at("run").value, at("before").value)));
  at("refresh").addEventListener("click", guarded(async () => {
    ({ runs } = await ask("/refresh"));
    await open(room.run_id, room.before_id);
  }));
  at("clear").addEventListener("click", () => brush.reset());
  at("csv").addEventListener("click", guarded(() => save("/customers")));
  at("draft").addEventListener("click", guarded(() => save("/study")));
  at("rule").addEventListener("click", guarded(showRule));
  at("more").addEventListener("click", () => drawCharts(about.columns.length));
  at("across").addEventListener("change", drawMap);
  at("up").addEventListener("change", drawMap);
  at("alone").addEventListener("change", () => {
    const hidden = at("alone").checked;
    backdrop.update({ source: backdrop, clients: new Set(), value: hidden || null, predicate: hidden ? vg.literal(false) : null, meta: { type: "point" }, fields: [] });
  });

  await guarded(async () => {
    ({ runs } = await ask("/runs"));
    if (!runs.length) throw new Error("there is no finished run yet: python scripts/run_clustering.py");
    const wanted = asked.get("run");
    await open(runs.some((run) => run.run_id === wanted) ? wanted : runs[0].run_id, null);
  })();
})();
