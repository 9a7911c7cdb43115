(() => {
  "use strict";
  const tip = document.createElement("div");
  tip.className = "tip"; tip.hidden = true; document.body.append(tip);
  const show = (event) => {
    const marked = event.target.closest("[data-tip]");
    tip.hidden = !marked;
    if (!marked) return;
    tip.textContent = marked.dataset.tip;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
    tip.style.top = (event.clientY - box.height - 12 > 0 ? event.clientY - box.height - 12 : event.clientY + 18) + "px";
  };
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const panels = all(".panel");
  const open = (panel) => {
    panels.forEach((one) => one.classList.toggle("is-open", one === panel));
    all(".tabs a").forEach((link) => {
      if (link.hash === "#" + panel.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  const fold = (one, is_folded) => {
    one.classList.toggle("is-folded", is_folded);
    one.querySelector(".unfold").setAttribute("aria-expanded", String(!is_folded));
  };
  const reveal = (target) => {
    for (let one = target.closest(".is-folded"); one; one = one.parentElement.closest(".is-folded")) fold(one, false);
  };
  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const panel = target && target.closest(".panel");
    if (!panel) return;
    open(panel);
    reveal(target);
    target.scrollIntoView();
  };
  // On a phone a part is its heading and a card what stands out, until it is asked for.
  const foldable = (one, title, is_folded) => {
    const key = document.createElement("button");
    key.type = "button"; key.className = "unfold"; key.append(...title.childNodes); title.append(key);
    key.addEventListener("click", () => fold(one, !one.classList.contains("is-folded")));
    fold(one, is_folded);
  };
  const phone = matchMedia("(max-width: 48rem)");
  const arrange = () => {
    all(".unfold").forEach((key) => {
      key.closest(".is-folded")?.classList.remove("is-folded");
      if (key.parentElement.matches("h2")) key.replaceWith(...key.childNodes);
      else key.parentElement.remove();
    });
    if (!phone.matches) return;
    panels.forEach((panel) => all("section", panel).forEach((section, place) => foldable(section, section.querySelector("h2"), place > 0)));
    all(".rest-of-card").forEach((rest) => {
      if (!rest.textContent.trim()) return;
      const title = document.createElement("div");
      title.append("figures, sureness and rule"); rest.before(title);
      foldable(rest.parentElement, title, true);
    });
  };
  arrange(); phone.addEventListener("change", arrange);
  if (panels.length) { document.body.classList.add("tabbed"); open(panels[0]); follow(); addEventListener("hashchange", follow); }

  const light = document.createElement("style");
  document.head.append(light);
  const keys = all("[data-only-of]");
  const titles = new Map(keys.map((key) => [key.dataset.onlyOf + " " + key.title, key.dataset.onlyOf]));
  all("main tbody tr").forEach((row) => {
    const cells = row.closest("#figure-flows") ? [...row.cells].slice(0, 2) : [row.firstElementChild];
    const of = cells.map((one) => titles.get(one?.textContent.trim())).filter(Boolean);
    if (of.length && !row.closest(".heat")) row.dataset.of = of.join(" ");
  });
  all("figure[id^=figure-swarm-]").forEach((one) => { one.dataset.of = one.id.split("-").pop(); });
  const cell = (name, text, is_words) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (is_words) made.className = "text";
    return made;
  };
  let chosen = [];
  const differences = (one, other) => all(".heat:not(.mix) tbody tr")
    .map((row) => [row, row.querySelector(`[data-of="${one}"]`), row.querySelector(`[data-of="${other}"]`)])
    .filter(([, a, b]) => a && b)
    .map(([row, a, b]) => [Math.abs(a.dataset.z - b.dataset.z), [row.firstElementChild, a, b, row.lastElementChild].map((part) => part.textContent)])
    .sort((a, b) => b[0] - a[0]);
  const compare = () => {
    const box = document.getElementById("versus"), [one, other] = chosen;
    const rows = other ? differences(one, other) : [];
    box.replaceChildren(); box.hidden = !rows.length;
    if (!rows.length) return;
    const table = document.createElement("table"), head = table.createTHead().insertRow(), body = table.createTBody();
    ["where they differ most", "segment " + one, "segment " + other, "all"].forEach((text, place) => head.append(cell("th", text, !place)));
    rows.forEach(([, texts]) => body.insertRow().append(...texts.map((text, place) => cell("td", text, !place))));
    box.append(cell("h2", `Segment ${one} beside segment ${other}`), table);
  };
  const moves = () => {
    const flows = all(".flow");
    flows.forEach((flow) => flow.classList.toggle("is-off",
      chosen.length > 0 && !chosen.includes(flow.dataset.from) && !chosen.includes(flow.dataset.to)));
    const box = document.querySelector("#figure-flows .moved");
    if (!box) return;
    const sum = (fits) => flows.filter(fits).reduce((total, flow) => total + Number(flow.dataset.n), 0).toLocaleString("en");
    box.textContent = chosen.map((of) => `Segment ${of}: ${sum((flow) => flow.dataset.from === of && flow.dataset.to === of)} stayed, ` +
      `${sum((flow) => flow.dataset.from !== of && flow.dataset.to === of)} came, ${sum((flow) => flow.dataset.from === of && flow.dataset.to !== of)} left.`).join(" ");
  };
  const flowing = document.querySelector("#figure-flows svg");
  if (flowing) {
    const box = document.createElement("p");
    box.className = "moved"; box.setAttribute("role", "status"); flowing.after(box);
  }
  const choose = () => {
    keys.forEach((key) => key.setAttribute("aria-pressed", String(chosen.includes(key.dataset.onlyOf))));
    document.body.toggleAttribute("data-only", chosen.length > 0);
    light.textContent = chosen.map((of) =>
      `body[data-only] .dots.of-${of}{stroke-opacity:.9}body[data-only] .middle-of.of-${of}{opacity:1}`).join("");
    all("main .card[data-of], main tbody tr[data-of], figure[data-of], figure g[data-of]").forEach((one) => {
      // A part of a drawing has the attribute, but not the property of that name.
      one.toggleAttribute("hidden", chosen.length > 0 && !one.dataset.of.split(" ").some((of) => chosen.includes(of)));
    });
    all(".compared tr[data-of]").forEach((row) => row.classList.toggle("is-off", chosen.length > 0 && !chosen.includes(row.dataset.of)));
    moves();
    all(".heat").forEach((heat) => {
      heat.classList.toggle("is-chosen", chosen.some((of) => heat.querySelector(`[data-of="${of}"]`)));
      all("[data-of]", heat).forEach((part) => part.classList.toggle("is-of", chosen.includes(part.dataset.of)));
    });
    document.querySelector(".chosen").textContent =
      chosen.map((of) => keys.find((key) => key.dataset.onlyOf === of).title).join(" and ");
    document.querySelector(".keys .all").hidden = !chosen.length;
    compare();
  };

  // Who does not see that a table goes on to the right misses its columns.
  all(".scroll").forEach((box) => {
    const note = document.createElement("p");
    note.className = "goes-on quiet"; note.textContent = "more to the right \u2192"; note.hidden = true;
    box.before(note);
    new ResizeObserver(() => { note.hidden = box.scrollWidth <= box.clientWidth + 1; }).observe(box);
  });

  const sortable = (table) => all("thead th", table).forEach((title, place) => {
    const button = document.createElement("button");
    button.type = "button"; button.append(...title.childNodes); title.append(button);
    const is_text = title.classList.contains("text");
    const figure = (text) => parseFloat(text.replace(/^under |[,\s]/g, "").replace("\u2212", "-"));
    const text = (row) => row.cells[place].textContent.trim();
    // What is not known stands last, whichever way the rest is sorted.
    const order = (up) => is_text
      ? (a, b) => up * text(a).localeCompare(text(b), "en", { numeric: true })
      : (a, b) => {
        const [one, other] = [figure(text(a)), figure(text(b))];
        return isNaN(one) || isNaN(other) ? isNaN(one) - isNaN(other) : up * (one - other);
      };
    button.addEventListener("click", () => {
      const was = title.getAttribute("aria-sort");
      const up = was ? (was === "descending" ? 1 : -1) : is_text ? 1 : -1;
      all("th", title.parentElement).forEach((one) => one.removeAttribute("aria-sort"));
      title.setAttribute("aria-sort", up > 0 ? "ascending" : "descending");
      table.tBodies[0].append(...all("tbody tr", table).sort(order(up)));
    });
  });
  const filterable = (table, rows) => {
    const field = document.createElement("input");
    field.type = "search"; field.className = "filter"; field.placeholder = "filter"; field.setAttribute("aria-label", "filter the rows");
    field.addEventListener("input", () => rows.forEach((row) => {
      row.style.display = row.textContent.toLowerCase().includes(field.value.toLowerCase()) ? "" : "none";
    }));
    table.parentElement.before(field);
  };
  all("main .table-block table, main figure details table").forEach((table) => {
    sortable(table);
    const rows = all("tbody tr", table);
    if (rows.length > 12) filterable(table, rows);
  });

  document.addEventListener("click", (event) => {
    const key = event.target.closest("[data-only-of], .keys .all");
    if (key) {
      const of = key.dataset.onlyOf;
      chosen = !of ? [] : chosen.includes(of) ? chosen.filter((one) => one !== of) : [...chosen, of].slice(-2);
      choose();
    }
    const copy = event.target.closest(".copy");
    if (copy) {
      const text = copy.closest(".code").querySelector("pre").textContent;
      const done = () => { copy.textContent = "copied"; setTimeout(() => { copy.textContent = "copy"; }, 1500); };
      const select = () => {
        getSelection().selectAllChildren(copy.closest(".code").querySelector("pre"));
        if (document.execCommand("copy")) done();
      };
      if (navigator.clipboard && isSecureContext) navigator.clipboard.writeText(text).then(done, select);
      else select();
    }
  });

  document.querySelectorAll("svg.map").forEach((map) => {
    const whole = map.getAttribute("viewBox").split(" ").map(Number);
    let view = whole.slice();
    const set = () => map.setAttribute("viewBox", view.join(" "));
    const zoom = (by) => {
      const width = Math.min(whole[2], Math.max(whole[2] / 8, view[2] / by));
      const height = width * whole[3] / whole[2];
      const x = view[0] + (view[2] - width) / 2, y = view[1] + (view[3] - height) / 2;
      view = [Math.max(0, Math.min(x, whole[2] - width)), Math.max(0, Math.min(y, whole[3] - height)), width, height];
      set(); map.style.touchAction = width < whole[2] ? "none" : "auto";
      map.style.cursor = width < whole[2] ? "grab" : "";
    };
    const bar = document.createElement("div");
    bar.className = "zoom";
    [["+", "zoom in", () => zoom(1.6)], ["\u2212", "zoom out", () => zoom(1 / 1.6)],
     ["reset", "show all", () => zoom(1e-9)]].forEach(([text, words, act]) => {
      const button = document.createElement("button");
      button.type = "button"; button.textContent = text; button.setAttribute("aria-label", words);
      button.addEventListener("click", act); bar.append(button);
    });
    map.after(bar);
    let from = null;
    map.addEventListener("pointerdown", (event) => {
      if (view[2] < whole[2]) { from = [event.clientX, event.clientY, ...view]; map.setPointerCapture(event.pointerId); }
    });
    map.addEventListener("pointermove", (event) => {
      if (!from) return;
      const scale = view[2] / map.clientWidth;
      view[0] = Math.max(0, Math.min(from[2] - (event.clientX - from[0]) * scale, whole[2] - view[2]));
      view[1] = Math.max(0, Math.min(from[3] - (event.clientY - from[1]) * scale, whole[3] - view[3]));
      set();
    });
    map.addEventListener("pointerup", () => { from = null; });
  });

  const contents = document.querySelector(".toc details");
  const wide = matchMedia("(min-width: 66rem)");
  const unfold = () => { if (wide.matches) contents.open = true; };
  unfold(); wide.addEventListener("change", unfold);
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll(".card .more:not([open])")];
    folded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));
})();
