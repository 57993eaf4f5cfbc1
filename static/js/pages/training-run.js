// One training run while it learns: progress, curves, the alarm, and the panel when its state changes.
import "../lib/line-chart.js";
import { JobSocket } from "../lib/job-socket.js";
import { watchLink } from "../lib/notices.js";

const FINAL = ["done", "cancelled", "failed"];
const page = document.getElementById("run");
const charts = Object.fromEntries(["loss", "active", "tar"].map((name) => [name, document.getElementById(`chart-${name}`)]));
const points = JSON.parse(document.getElementById("curve").textContent);
let asked = false; // one question for points at a time
let wanted = points.length;
let socket = null;

const of = (name) => points.filter((point) => point[name] !== undefined).map((point) => [point.step, point[name]]);

function draw() {
  charts.loss.series = [{ name: "triplet loss", points: of("loss") }];
  charts.loss.reference = { name: "margin α: the loss of a collapse", value: Number(page.dataset.margin) };
  charts.active.series = [{ name: "active triplets", points: of("active") }];
  const held = of("held_out");
  charts.tar.series = [
    { name: "people held out", points: held, dots: true },
    { name: "people who choose the step", points: of("validation"), dots: true },
  ];
  charts.tar.reference = held.length && held[0][0] === 0 ? { name: "before the first step", value: held[0][1] } : null;
}

/** Fetch the points that are missing; a run that went back to its checkpoint is fetched whole. */
async function follow(count) {
  wanted = count;
  if (asked) return;
  asked = true;
  try {
    while (points.length !== wanted) {
      if (wanted < points.length) points.length = 0;
      const goal = wanted;
      const response = await fetch(`${page.dataset.points}?from=${points.length}`, { credentials: "same-origin" });
      if (!response.ok) break;
      const { points: more } = await response.json();
      points.push(...more);
      if (points.length < goal) break; // the next event brings the rest
      wanted = Math.max(wanted, points.length);
    }
  } finally {
    asked = false;
    draw();
  }
}

function show(job) {
  const changed = job.status !== page.dataset.status || job.stage !== page.dataset.stage || String(job.collapsed) !== page.dataset.collapsed;
  page.dataset.status = job.status;
  page.dataset.stage = job.stage;
  page.dataset.collapsed = String(job.collapsed);
  if (changed) htmx.ajax("GET", page.dataset.panel, { target: "#panel", swap: "innerHTML" });
  const meter = document.getElementById("meter");
  if (meter && job.total) {
    meter.style.setProperty("--done", job.done / job.total);
    meter.setAttribute("aria-valuenow", job.done);
    meter.setAttribute("aria-valuemax", job.total);
    meter.classList.remove("unknown");
    document.getElementById("done").textContent = `${job.done.toLocaleString("en")} of ${job.total.toLocaleString("en")}`;
  }
  follow(job.points);
  if (FINAL.includes(job.status)) socket.close();
}

draw();
if (!FINAL.includes(page.dataset.status)) {
  socket = new JobSocket(page.dataset.job);
  watchLink(socket);
  socket.addEventListener("state", ({ detail }) => show(detail));
}
