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

  const light = document.createElement("style");
  document.head.append(light);
  document.addEventListener("click", (event) => {
    const key = event.target.closest("[data-only-of]");
    if (key) {
      const on = key.getAttribute("aria-pressed") !== "true";
      const of = key.dataset.onlyOf;
      document.querySelectorAll("[data-only-of]").forEach((one) =>
        one.setAttribute("aria-pressed", String(on && one.dataset.onlyOf === of)));
      document.body.toggleAttribute("data-only", on);
      light.textContent = on
        ? `body[data-only] .dots.of-${of}{stroke-opacity:.9}body[data-only] .middle-of.of-${of}{opacity:1}` : "";
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
    folded = [...document.querySelectorAll("figure details:not([open]), .card .more:not([open])")];
    folded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));
})();
