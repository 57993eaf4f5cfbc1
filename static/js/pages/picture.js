// One picture while it is painted: the studio, the raw figures, and the comparison with the photo.
import { readable } from "../lib/loss-curve.js";
import { Studio } from "../lib/studio.js";

const data = document.getElementById("studio").dataset;
const picture = document.getElementById("picture");
const insight = document.getElementById("insight");

function showRaw(raw) {
  for (const [name, value] of Object.entries(raw)) {
    const place = document.querySelector(`[data-raw="${name}"]`);
    if (place) place.textContent = readable(value);
  }
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
if ("kept" in data && data.status !== "running") picture.showUrl(data.result);

new Studio({
  state: (job, changed) => {
    if (!job.result_url) return;
    picture.showUrl(job.result_url);
    if (changed) htmx.ajax("GET", insight.dataset.url, { target: "#insight", swap: "outerHTML" });
  },
  frame: ({ raw }) => { if (raw) showRaw(raw); },
});
