// <line-chart steps="600" format="percent" label="…">: curves over the steps of a run.
// The x axis is fixed at `steps`; the y axis spans what is shown, widened to whole ticks, or
// [low, high] where both attributes are set. `reference` draws a dashed line to compare with.

import { make, vector } from "./elements.js";

/** Ticks of 1, 2, 2.5 or 5 that hold [low, high]: about four of them. */
export function ticks(low, high) {
  const span = Math.max(high - low, Math.abs(high) * 1e-3, 1e-6);
  const unit = 10 ** Math.floor(Math.log10(span / 4));
  const step = unit * ([1, 2, 2.5, 5].find((each) => span / (each * unit) <= 5) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: Math.max(last, first + 1) - first + 1 }, (_, i) => (first + i) * step);
}

const FORMATS = {
  percent: (value) => `${+(value * 100).toFixed(1)} %`,
  number: (value) => `${+value.toPrecision(3)}`,
};

export class LineChart extends HTMLElement {
  static observedAttributes = ["steps"];
  #series = []; #reference = null; #raf = 0;
  #plot = null; #svg = null; #legend = null; #axis = null; #end = null;

  /** @param {{name: string, points: [number, number][], dots?: boolean}[]} series */
  set series(series) { this.#series = series; this.#soon(); }

  /** @param {{name: string, value: number} | null} reference */
  set reference(reference) { this.#reference = reference; this.#soon(); }

  connectedCallback() {
    if (!this.#plot) this.#build();
    this.#draw();
  }

  disconnectedCallback() { cancelAnimationFrame(this.#raf); this.#raf = 0; }

  attributeChangedCallback() { if (this.#plot) this.#soon(); }

  #build() {
    this.#axis = this.appendChild(make("div", "axis"));
    this.#axis.setAttribute("aria-hidden", "true");
    this.#plot = this.appendChild(make("div", "plot"));
    this.#plot.setAttribute("role", "img");
    this.#svg = this.#plot.appendChild(vector("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", "aria-hidden": "true" }));
    this.#end = this.appendChild(make("div", "steps"));
    this.#end.setAttribute("aria-hidden", "true");
    this.#legend = this.appendChild(make("div", "legend"));
  }

  #soon() { this.#raf ||= requestAnimationFrame(() => { this.#raf = 0; if (this.#plot) this.#draw(); }); }

  #draw() {
    const format = FORMATS[this.getAttribute("format")] ?? FORMATS.number;
    const values = this.#series.flatMap(({ points }) => points.map(([, y]) => y));
    if (this.#reference && values.length) values.push(this.#reference.value);
    const fixed = ["low", "high"].map((name) => this.getAttribute(name)).filter((text) => text !== null).map(Number);
    const marks = ticks(...(fixed.length === 2 ? fixed : values.length ? [Math.min(...values), Math.max(...values)] : [0, 1]));
    const [low, high] = [marks[0], marks[marks.length - 1]];
    const last = Math.max(Number(this.getAttribute("steps")) || 1, 1);
    const x = (step) => (1000 * step) / last;
    const y = (value) => 1000 - (1000 * (value - low)) / (high - low);
    this.#axis.replaceChildren(...marks.map((value) => {
      const mark = make("span", "", format(value));
      mark.style.setProperty("--at", (value - low) / (high - low));
      return mark;
    }));
    const lines = marks.map((value) => vector("path", { d: `M0 ${y(value)}H1000`, class: "grid" }));
    if (this.#reference && values.length) lines.push(vector("path", { d: `M0 ${y(this.#reference.value)}H1000`, class: "reference" }));
    this.#series.forEach(({ points, dots }, i) => {
      const d = points.map(([step, value], n) => `${n ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
      if (d) lines.push(vector("path", { d, "data-series": i }));
      // A line of no length with round ends is a dot that the plot's stretching leaves round.
      if (dots) lines.push(...points.map(([step, value]) => vector("path", { d: `M${x(step).toFixed(1)} ${y(value).toFixed(1)}h0`, "data-series": i, class: "dot" })));
    });
    this.#svg.replaceChildren(...lines);
    this.#end.replaceChildren(make("span", "", "0"), make("span", "", `${last.toLocaleString("en")} steps`));
    this.#legend.replaceChildren(...this.#readings(format));
    const said = this.#series.filter(({ points }) => points.length).map(({ name, points }) =>
      `${name} went from ${format(points[0][1])} to ${format(points[points.length - 1][1])}`);
    this.#plot.setAttribute("aria-label", `${this.getAttribute("label") ?? ""}: ${said.join("; ") || "nothing yet"}.`);
  }

  #readings(format) {
    const rows = this.#series.map(({ name, points }, i) => row(name, points.length ? format(points[points.length - 1][1]) : "–", { "data-series": i }));
    if (this.#reference) rows.push(row(this.#reference.name, format(this.#reference.value), { class: "reference" }));
    return rows;
  }
}

function row(name, value, key) {
  const line = make("div");
  const mark = line.appendChild(vector("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" }));
  mark.append(vector("path", { d: "M0 5H28", ...key }));
  line.append(make("span", "", name), make("output", "num", value));
  return line;
}

customElements.define("line-chart", LineChart);
