// <loss-curve steps="150" scale="log">: J and its two terms as they fall.
// The x axis is fixed at `steps` from the start and the curve grows into it; the y axis widens in
// whole grid steps only, so that it rests while the curve moves.

import { vector } from "./elements.js";

const NAMES = { total: "J", content: "content", style: "style" };
const VERTICES = 400; // more than the pixels of the plot would show
const DECADES = 4; // a log axis shows no less than a ten-thousandth of its top

/** A number as a person reads it: 0.312, 4.7e5. */
export function readable(value) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace("e+", "e");
  return size >= 1000 ? String(Math.round(value)) : value.toPrecision(3);
}

/** A number on the axis: without the zeros that say nothing. */
const mark = (value) => readable(value).replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "");

/**
 * The bounds of an axis that holds [low, high], in halves of a decade (log: as log10 of the
 * value) or in steps of 1, 2, 2.5 or 5 (linear, from 0).
 */
export function axis(low, high, log) {
  if (log) {
    const top = Math.ceil(2 * Math.log10(Math.max(high, 1e-12)) - 1e-6) / 2;
    const floor = Math.floor(2 * Math.log10(Math.max(low, 1e-12)) + 1e-6) / 2;
    return [Math.max(Math.min(floor, top - 0.5), top - DECADES), top];
  }
  const unit = 10 ** Math.floor(Math.log10(Math.max(high, 1e-12)));
  const top = [1, 2, 2.5, 5, 10].find((step) => step * unit >= high * (1 - 1e-6)) * unit;
  return [0, top];
}

export class LossCurve extends HTMLElement {
  static observedAttributes = ["steps", "scale"];
  #columns = [];
  #values = new Float32Array(0); // points × columns, row by row
  #points = 0;
  #paths = []; #readings = [];
  #plot = null; #top = null; #bottom = null; #svg = null; #toggle = null;
  #raf = 0; #rest = 0;

  get points() { return this.#points; }

  connectedCallback() {
    if (!this.#plot) this.#build(["total", "content", "style"]);
    this.#draw();
  }

  disconnectedCallback() { cancelAnimationFrame(this.#raf); this.#raf = 0; clearTimeout(this.#rest); }

  attributeChangedCallback() { if (this.#plot) this.#soon(); }

  /**
   * Add points to the curve.
   * @param {number} first index of the first point; what was there from it on is replaced
   * @param {Float32Array} curve points × columns, row by row
   * @param {string[]} columns the name of each column
   */
  push(first, curve, columns = this.#columns) {
    if (!this.#plot || String(columns) !== String(this.#columns)) this.#build([...columns]);
    const width = this.#columns.length;
    if (first > this.#points) return; // a gap: a reconnect brings the whole curve again
    const wanted = first * width + curve.length;
    if (wanted > this.#values.length) {
      const larger = new Float32Array(Math.max(wanted, 2 * this.#values.length, 256 * width));
      larger.set(this.#values.subarray(0, first * width));
      this.#values = larger;
    }
    this.#values.set(curve, first * width);
    this.#points = Math.max(first + curve.length / width, first);
    this.#soon();
  }

  clear() { this.#points = 0; this.#soon(); }

  #build(columns) {
    this.#columns = columns;
    this.#points = 0;
    this.replaceChildren();
    this.#plot = this.appendChild(Object.assign(document.createElement("div"), { className: "plot" }));
    this.#plot.setAttribute("role", "img");
    this.#svg = this.#plot.appendChild(vector("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", "aria-hidden": "true" }));
    // Drawn from the last to the first, so that J lies on top.
    this.#paths = columns.map((_, i) => vector("path", { "data-series": i }));
    this.#svg.append(...[...this.#paths].reverse());
    [this.#top, this.#bottom] = ["top", "bottom"].map((side) => {
      const label = Object.assign(document.createElement("span"), { className: `axis ${side}` });
      label.setAttribute("aria-hidden", "true");
      return this.#plot.appendChild(label);
    });
    const legend = this.appendChild(Object.assign(document.createElement("div"), { className: "legend" }));
    this.#readings = columns.map((name, i) => {
      const row = legend.appendChild(document.createElement("div"));
      const key = row.appendChild(vector("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" }));
      key.append(vector("path", { d: "M0 5H28", "data-series": i }));
      row.append(NAMES[name] ?? name);
      const reading = row.appendChild(document.createElement("output"));
      reading.setAttribute("aria-live", "off");
      return reading;
    });
    this.#toggle = Object.assign(document.createElement("button"), { type: "button", className: "btn plain small scale" });
    this.#toggle.addEventListener("click", () => this.setAttribute("scale", this.#log ? "linear" : "log"));
    legend.append(this.#toggle);
  }

  get #log() { return this.getAttribute("scale") !== "linear"; }

  #soon() {
    this.#raf ||= requestAnimationFrame(() => { this.#raf = 0; this.#draw(); });
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#describe(), 800);
  }

  #draw() {
    const [width, points, log] = [this.#columns.length, this.#points, this.#log];
    this.#toggle.textContent = log ? "Show a linear scale" : "Show a logarithmic scale";
    const values = this.#values;
    let [low, high] = [Infinity, 0];
    for (let i = 0; i < points * width; i++) {
      const value = values[i];
      if (value > high) high = value;
      if (value > 0 && value < low) low = value;
    }
    const empty = !points || !high;
    const [floor, top] = empty ? [0, 1] : axis(Math.min(low, high), high, log);
    this.#top.textContent = empty ? "" : mark(log ? 10 ** top : top);
    this.#bottom.textContent = empty ? "" : mark(log ? 10 ** floor : floor);
    const span = Math.max(Number(this.getAttribute("steps")) || 0, points - 1, 1);
    const stride = Math.max(1, Math.ceil(points / VERTICES));
    const y = (value) => {
      const at = log ? Math.log10(Math.max(value, 1e-30)) : value;
      return 1000 - 1000 * Math.min(1, Math.max(0, (at - floor) / (top - floor)));
    };
    this.#paths.forEach((path, column) => {
      let d = "";
      for (let i = 0; i < points; i += stride) d += vertex(d, (1000 * i) / span, y(values[i * width + column]));
      if (points && (points - 1) % stride) d += vertex(d, (1000 * (points - 1)) / span, y(values[(points - 1) * width + column]));
      path.setAttribute("d", empty ? "" : d);
      this.#readings[column].textContent = points ? readable(values[(points - 1) * width + column]) : "–";
    });
    if (!this.#plot.hasAttribute("aria-label")) this.#describe();
  }

  /** The accessible name changes only when the curve rests, so that nobody is talked to death. */
  #describe() {
    const last = this.#points - 1;
    const width = this.#columns.length;
    const at = (row, column) => readable(this.#values[row * width + column]);
    this.#plot.setAttribute("aria-label", last < 0 ? "No losses yet." : this.#columns.map((name, i) =>
      `${NAMES[name] ?? name} went from ${at(0, i)} to ${at(last, i)}`).join("; ") + ` in ${last + 1} steps.`);
  }
}

function vertex(before, x, y) {
  return `${before ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
}

customElements.define("loss-curve", LossCurve);
