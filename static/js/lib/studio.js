// What the pages of a picture and of a piece in the making have in common: progress, curve, layers,
// and the panel when the status changes. The page has #studio with data-job, -status, -panel, -curve.
import "./live-picture.js";
import { JobSocket } from "./job-socket.js";
import { readable } from "./loss-curve.js";
import { watchLink } from "./notices.js";

const COLUMNS = ["total", "content", "style"];
const FINAL = ["done", "cancelled", "failed"];

/** How long, as a person says it. */
function spoken(seconds) {
  if (seconds < 1.5) return "a moment left";
  if (seconds < 90) return `about ${Math.round(seconds)} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

export class Studio {
  #root = document.getElementById("studio");
  #picture = document.getElementById("picture");
  #curve = document.getElementById("curve");
  #meter = document.getElementById("meter");
  #layers = document.getElementById("layers");
  #socket = null;

  /**
   * Show what is stored, and follow the job while it is not final.
   * @param {{state?: (job: object, changed: boolean) => void, frame?: (header: object) => void}} told
   *   what the page itself does with news
   */
  constructor(told = {}) {
    this.#showCurve();
    if (this.final) return;
    this.#socket = new JobSocket(this.#root.dataset.job);
    watchLink(this.#socket);
    this.#picture.follow(this.#socket);
    this.#socket.addEventListener("state", ({ detail: job }) => {
      const changed = this.#showState(job);
      told.state?.(job, changed);
    });
    this.#socket.addEventListener("frame", ({ detail: { header, curve } }) => {
      this.#push(header.first, curve, header.columns);
      this.#showProgress(header);
      if (header.layers) this.#showLayers(header.layers);
      told.frame?.(header);
    });
  }

  get status() { return this.#root.dataset.status; }

  get final() { return FINAL.includes(this.status); }

  #showProgress({ step, steps, seconds_left: left }) {
    document.getElementById("plate-step").textContent = `Step ${step} of ${steps}`;
    this.#meter.style.setProperty("--done", step / steps);
    this.#meter.setAttribute("aria-valuenow", step);
    const place = document.getElementById("left");
    if (place) place.textContent = left === null || this.status !== "running" ? "" : spoken(left);
  }

  #showLayers(layers) {
    const whole = Object.values(layers).reduce((sum, cost) => sum + cost, 0) || 1;
    for (const [name, cost] of Object.entries(layers)) {
      const [share, place] = this.#layer(name);
      share.style.setProperty("--share", cost / whole);
      place.textContent = readable(cost);
    }
  }

  /** A layer's bar and figure; made where the page did not know of the layer yet. */
  #layer(name) {
    const find = (what) => this.#layers.querySelector(`[data-${what}="${CSS.escape(name)}"]`);
    if (!find("layer")) {
      const bar = document.createElement("dd");
      bar.append(Object.assign(document.createElement("div"), { className: "share" }));
      bar.firstChild.dataset.layer = name;
      const figure = document.createElement("dd");
      figure.dataset.layerCost = name;
      this.#layers.append(Object.assign(document.createElement("dt"), { textContent: name }), bar, figure);
    }
    return [find("layer"), find("layer-cost")];
  }

  /** The stored curve, where the stream has not brought more already. */
  async #showCurve() {
    const response = await fetch(this.#root.dataset.curve, { credentials: "same-origin" });
    if (!response.ok) return;
    const view = new DataView(await response.arrayBuffer());
    const values = Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
    if (values.length / COLUMNS.length > this.#curve.points) this.#push(0, values, COLUMNS);
  }

  /** Points for the curve, without the content's where there is no content. */
  #push(first, values, columns) {
    if (!("contentless" in this.#root.dataset)) return this.#curve.push(first, values, columns);
    const kept = columns.flatMap((name, i) => (name === "content" ? [] : [i]));
    const rows = values.length / columns.length;
    const narrow = Float32Array.from({ length: rows * kept.length }, (_, i) =>
      values[Math.floor(i / kept.length) * columns.length + kept[i % kept.length]]);
    return this.#curve.push(first, narrow, kept.map((i) => columns[i]));
  }

  #showState(job) {
    const changed = job.status !== this.status;
    this.#root.dataset.status = job.status;
    if (job.step || job.status === "running") this.#showProgress(job);
    const note = document.getElementById("note");
    if (note && job.note) note.textContent = job.note;
    if (changed) htmx.ajax("GET", this.#root.dataset.panel, { target: "#panel", swap: "innerHTML" });
    if (this.final) { this.#showCurve(); this.#socket.close(); }
    return changed;
  }
}
