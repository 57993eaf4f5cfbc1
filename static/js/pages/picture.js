// One picture while it is painted: frames, curve, figures, and the panel when its status changes.
import "../lib/live-picture.js";
import "../lib/loss-curve.js";
import { JobSocket } from "../lib/job-socket.js";
import { readable } from "../lib/loss-curve.js";
import { watchLink } from "../lib/notices.js";

const COLUMNS = ["total", "content", "style"];
const FINAL = ["done", "cancelled", "failed"];
const studio = document.getElementById("studio");
const picture = document.getElementById("picture");
const curve = document.getElementById("curve");
const meter = document.getElementById("meter");

/** How long, as a person says it. */
function spoken(seconds) {
  if (seconds < 1.5) return "a moment left";
  if (seconds < 90) return `about ${Math.round(seconds)} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

function showProgress({ step, steps, seconds_left: left }) {
  document.getElementById("plate-step").textContent = `Step ${step} of ${steps}`;
  meter.style.setProperty("--done", step / steps);
  meter.setAttribute("aria-valuenow", step);
  const place = document.getElementById("left");
  if (place) place.textContent = left === null || studio.dataset.status !== "running" ? "" : spoken(left);
}

function showRaw(raw) {
  for (const [name, value] of Object.entries(raw)) {
    const place = document.querySelector(`[data-raw="${name}"]`);
    if (place) place.textContent = readable(value);
  }
}

function showLayers(layers) {
  const whole = Object.values(layers).reduce((sum, cost) => sum + cost, 0) || 1;
  for (const [name, cost] of Object.entries(layers)) {
    document.querySelector(`[data-layer="${name}"]`)?.style.setProperty("--share", cost / whole);
    const place = document.querySelector(`[data-layer-cost="${name}"]`);
    if (place) place.textContent = readable(cost);
  }
}

/** The stored curve, where the stream has not brought more already. */
async function showStored() {
  const response = await fetch(studio.dataset.curve, { credentials: "same-origin" });
  if (!response.ok) return;
  const view = new DataView(await response.arrayBuffer());
  const values = Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
  if (values.length / COLUMNS.length > curve.points) curve.push(0, values, COLUMNS);
}

function showState(job) {
  const changed = job.status !== studio.dataset.status;
  studio.dataset.status = job.status;
  if (job.step || job.status === "running") showProgress(job);
  const note = document.getElementById("note");
  if (note && job.note) note.textContent = job.note;
  if (changed) htmx.ajax("GET", studio.dataset.panel, { target: "#panel", swap: "innerHTML" });
  if (job.result_url) picture.showUrl(job.result_url);
  if (FINAL.includes(job.status)) { showStored(); socket?.close(); }
}

const cut = document.getElementById("cut");
const before = document.getElementById("before");
cut.addEventListener("input", () => {
  before.hidden = cut.value === "0";
  before.style.setProperty("--cut", cut.value);
});

for (const place of document.querySelectorAll("[data-raw]")) {
  const value = Number.parseFloat(place.textContent);
  if (Number.isFinite(value)) place.textContent = readable(value);
}
showStored();
if ("kept" in studio.dataset && studio.dataset.status !== "running") picture.showUrl(studio.dataset.result);

let socket = null;
if (!FINAL.includes(studio.dataset.status)) {
  socket = new JobSocket(studio.dataset.job);
  watchLink(socket);
  picture.follow(socket);
  socket.addEventListener("state", ({ detail }) => showState(detail));
  socket.addEventListener("frame", ({ detail: { header, curve: points } }) => {
    curve.push(header.first, points, header.columns);
    showProgress(header);
    if (header.raw) showRaw(header.raw);
    if (header.layers) showLayers(header.layers);
  });
}
