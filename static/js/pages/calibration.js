// Calibration: read the DET curve and take a point of it, and follow the sets that are measured.
import { JobSocket } from "../lib/job-socket.js";
import { watchLink } from "../lib/notices.js";

const FINAL = ["done", "cancelled", "failed"];
const form = document.getElementById("target");
const choice = document.getElementById("choice");
const sets = document.getElementById("sets");
const sockets = new Map();

// --- the curve ---------------------------------------------------------------------------------
/** 0.00123 -> "1 in 810", to two digits: more was never measured. */
function oneIn(rate) {
  const number = 1 / rate;
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(number)) - 1);
  return `1 in ${(Math.round(number / unit) * unit).toLocaleString("en")}`;
}

function startCurve() {
  const plot = choice.querySelector("[data-det]");
  if (!plot || plot.dataset.started) return;
  plot.dataset.started = "yes";
  const points = JSON.parse(document.getElementById("det-points").textContent);
  const cursor = plot.querySelector(".det-cursor");
  const reading = plot.querySelector(".det-reading");
  let at = -1;

  const show = (index) => {
    at = Math.min(points.length - 1, Math.max(0, index));
    const { x, y, fmr, fnmr, tau } = points[at];
    cursor.hidden = reading.hidden = false;
    cursor.style.setProperty("--x", x);
    cursor.style.setProperty("--y", y);
    reading.textContent = `τ ${tau.toFixed(3)}: ${oneIn(fmr)} pass, ${(100 * fnmr).toPrecision(2)} % missed`;
    plot.setAttribute("aria-valuenow", at);
    plot.setAttribute("aria-valuetext", reading.textContent);
  };
  const hide = () => { at = -1; cursor.hidden = reading.hidden = true; };
  const nearest = (x) => points.reduce((best, point, i) => (Math.abs(point.x - x) < Math.abs(points[best].x - x) ? i : best), 0);
  const under = (event) => {
    const { left, width } = plot.getBoundingClientRect();
    return nearest((100 * (event.clientX - left)) / width);
  };
  const take = () => {
    if (at < 0) return;
    // The curve is of single comparisons; a search through K templates makes K of them.
    const { fmr } = points[at];
    const size = Number(form.elements.gallery.value) || 1;
    const rate = form.elements.mode.value === "identification" ? -Math.expm1(size * Math.log1p(-fmr)) : fmr;
    const number = 1 / rate;
    const unit = 10 ** Math.max(0, Math.floor(Math.log10(number)) - 2);
    form.elements.one_in.value = Math.floor(number / unit) * unit; // never stricter than the point
    form.elements.one_in.dispatchEvent(new Event("input", { bubbles: true }));
  };
  plot.addEventListener("pointermove", (event) => show(under(event)));
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("click", (event) => { show(under(event)); take(); });
  plot.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -8, PageUp: 8 };
    if (event.key in steps) {
      event.preventDefault();
      show((at < 0 ? Number(plot.getAttribute("aria-valuenow")) : at) + steps[event.key]);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      take();
    } else if (event.key === "Escape") hide();
  });
}

// --- sets that are being measured ------------------------------------------------------------------
function follow(item) {
  const id = item.dataset.job;
  if (sockets.has(id)) return;
  const socket = new JobSocket(id);
  sockets.set(id, socket);
  watchLink(socket);
  socket.addEventListener("state", ({ detail: job }) => {
    if (FINAL.includes(job.status)) {
      socket.close();
      window.htmx.ajax("GET", sets.dataset.url, { target: "#sets", swap: "innerHTML" });
      return;
    }
    const place = sets.querySelector(`[data-job="${id}"]`);
    const meter = place?.querySelector(".meter");
    if (!meter || !job.total) return;
    meter.classList.remove("unknown");
    meter.style.setProperty("--done", job.done / job.total);
    meter.setAttribute("aria-valuenow", job.done);
    meter.setAttribute("aria-valuemax", job.total);
    const told = place.querySelector("[data-progress]");
    told.textContent = job.done < job.total ? `${job.done.toLocaleString("en")} of ${job.total.toLocaleString("en")} photos` : "All photos seen; now every pair is compared";
  });
}

function look() {
  startCurve();
  for (const item of sets.querySelectorAll("[data-job]")) follow(item);
}

document.addEventListener("htmx:afterSettle", look);
look();
