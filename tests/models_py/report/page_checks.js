({
  figures() {
    return [...document.querySelectorAll("figure, .figure")].map((figure) => {
      const shapes = figure.querySelectorAll(
        "svg path, svg rect, svg circle, .fill, .part, table.heat td");
      const drawn = [...shapes].filter((shape) => {
        const box = shape.getBoundingClientRect();
        return box.width > 0.4 && box.height > 0.4;
      });
      const words = figure.querySelectorAll("p.plain").length;
      return [figure.id, drawn.length, figure.getBoundingClientRect().width, words];
    });
  },

  // Of everything that can scroll sideways: whether it does, and whether that is said.
  scrolling() {
    return [...document.querySelectorAll("main *")]
      .filter((one) => /auto|scroll/.test(getComputedStyle(one).overflowX) && one.clientWidth)
      .map((one) => {
        const note = one.previousElementSibling;
        return [one.className || one.tagName, one.scrollWidth > one.clientWidth + 1,
          Boolean(note?.matches(".goes-on") && !note.hidden)];
      });
  },

  // Of each printed section but the cards: whether it stays on a page, and its height.
  printed() {
    return [...document.querySelectorAll("section:not(#segments)")]
      .filter((one) => one.clientHeight)
      .map((one) => [one.id, getComputedStyle(one).breakInside, one.clientHeight]);
  },

  light([red, green, blue]) {
    const [r, g, b] = [red, green, blue].map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  },

  ratio(one, other) {
    const [low, high] = [this.light(one), this.light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  },

  // One colour over another, as red, green and blue.
  over(colour, under) {
    this.canvas ??= document.createElement("canvas")
      .getContext("2d", { willReadFrequently: true });
    for (const fill of [`rgb(${under})`, colour]) {
      this.canvas.fillStyle = fill;
      this.canvas.fillRect(0, 0, 1, 1);
    }
    return [...this.canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  },

  isDrawn(element) {
    return element.namespaceURI.endsWith("svg");
  },

  ground(element) {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      if (!this.isDrawn(one)) layers.push(getComputedStyle(one).backgroundColor);
    }
    return layers.reverse().reduce((under, layer) => this.over(layer, under), [255, 255, 255]);
  },

  // Contrast, class and beginning of every text that is seen.
  texts() {
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
      const own = [...element.childNodes]
        .some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
      if (!own || !element.getBoundingClientRect().width) continue;
      if (element.closest(".unseen, .skip, script, style")) continue;
      const style = getComputedStyle(element);
      const under = element.classList.contains("chip-text")
        ? this.over(getComputedStyle(element.parentElement.querySelector("rect")).fill, [0, 0, 0])
        : this.ground(element);
      const colour = this.over(this.isDrawn(element) ? style.fill : style.color, under);
      const kind = element.getAttribute("class") ?? element.tagName;
      found.push([this.ratio(colour, under), kind, element.textContent.slice(0, 40)]);
    }
    return found;
  },

  // Contrast of each colour of the palette with either ground.
  marks() {
    const probe = document.createElement("i");
    document.body.append(probe);
    const read = (name) => {
      probe.style.color = `var(--${name})`;
      return this.over(getComputedStyle(probe).color, [0, 0, 0]);
    };
    return [...Array(12).keys()].flatMap((place) =>
      ["page", "sheet"].map((ground) => this.ratio(read(`s${place + 1}`), read(ground))));
  },
})
