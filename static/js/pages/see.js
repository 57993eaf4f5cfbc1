// The pages of what the network sees: an archive that travels, and a mining while it works.
import "../lib/archive-upload.js";
import { JobSocket } from "../lib/job-socket.js";
import { watchLink } from "../lib/notices.js";

const FINAL = ["done", "cancelled", "failed"];
const mining = document.getElementById("mining");

/** How long, as a person says it. */
function spoken(seconds) {
  if (seconds < 1.5) return "a moment left";
  return seconds < 90 ? `about ${Math.round(seconds)} s left` : `about ${Math.round(seconds / 60)} min left`;
}

function show(job) {
  const changed = job.status !== mining.dataset.status;
  mining.dataset.status = job.status;
  if (job.status === "done") return location.reload(); // the wall hangs
  if (changed) htmx.ajax("GET", mining.dataset.panel, { target: "#mining-panel", swap: "innerHTML" });
  const meter = document.getElementById("mining-meter");
  if (meter && job.total) {
    meter.classList.remove("unknown");
    meter.style.setProperty("--done", job.done / job.total);
    meter.setAttribute("aria-valuemin", 0);
    meter.setAttribute("aria-valuemax", job.total);
    meter.setAttribute("aria-valuenow", job.done);
  }
  const note = document.getElementById("mining-note");
  if (note && job.status === "running") {
    note.textContent = job.note || `${job.done} of ${job.total || "…"} pictures${job.rate ? ` · ${job.rate.toFixed(1)} a second` : ""}`;
  }
  const left = document.getElementById("mining-left");
  if (left) left.textContent = job.status === "running" && job.seconds_left !== null && !job.note ? spoken(job.seconds_left) : "";
}

if (mining && !FINAL.includes(mining.dataset.status)) {
  const socket = new JobSocket(mining.dataset.job);
  watchLink(socket);
  socket.addEventListener("state", ({ detail }) => show(detail));
}
