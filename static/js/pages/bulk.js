// A bulk enrolment's page: its figures as they come; its lists when they have grown.
import { timeOf } from "../lib/archive-upload.js";
import { JobSocket } from "../lib/job-socket.js";
import { notify, watchLink } from "../lib/notices.js";

const FINAL = new Set(["done", "failed", "cancelled"]);
const LISTED = ["refused", "confirm", "skipped"];
const REST = 2000; // ms between two looks at the lists

const place = document.getElementById("run");
let socket = null, asked = 0, timer = 0;

function follow() {
  socket = new JobSocket(place.dataset.job);
  watchLink(socket);
  socket.addEventListener("state", ({ detail: job }) => show(job));
}

function show(job) {
  const panel = place.querySelector("[data-status]");
  const figures = { done: job.done, pace: paceOf(job), ...job.counts };
  for (const [name, value] of Object.entries(figures)) {
    const figure = panel.querySelector(`[data-figure="${name}"]`);
    if (figure) figure.textContent = typeof value === "number" ? value.toLocaleString("en") : value;
  }
  const meter = panel.querySelector(".meter");
  meter?.style.setProperty("--done", String(job.total ? job.done / job.total : 0));
  meter?.setAttribute("aria-valuenow", String(job.done));
  const listed = LISTED.map((status) => job.counts[status]).join(" ");
  if (job.status !== panel.dataset.status) refresh(0);
  else if (listed !== panel.dataset.listed) refresh(REST);
  if (!FINAL.has(job.status)) return;
  socket.close();
  if (job.status === "done") notify("Every photo was looked at.", { word: "Done", tone: "know" });
}

function paceOf(job) {
  if (job.status !== "running" || !job.rate) return "";
  return `, ${job.rate.toFixed(1)} a second, ${timeOf(job.seconds_left)} left`;
}

/** The panel anew, at most once in a while; not while somebody is about to press a button in it. */
function refresh(rest) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (rest && place.querySelector(":is(.held-list, table, details) :focus")) return refresh(rest);
    asked = Date.now();
    window.htmx.ajax("GET", place.dataset.url, { target: "#run", swap: "innerHTML" });
  }, Math.max(0, rest - (Date.now() - asked)));
}

// A photo was settled: the figures follow, and the settled line stays where the eye is.
place.addEventListener("htmx:afterSwap", ({ target }) => {
  if (!target.closest(".held-list")) return;
  const figures = ".bulk-progress";
  window.htmx.ajax("GET", place.dataset.url, { target: figures, select: figures, swap: "outerHTML" });
});

if (!FINAL.has(place.querySelector("[data-status]").dataset.status)) follow();
