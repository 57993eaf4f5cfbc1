// A person's page in the admin: how each photo fares, live.
import { JobSocket } from "../lib/job-socket.js";

const FINAL = new Set(["done", "failed", "cancelled"]);
const WORDS = { waiting: "Waiting", enrolled: "Enrolled", refused: "Refused", confirm: "To be confirmed", discarded: "Discarded" };
const place = document.getElementById("enrolments");

function follow(section) {
  const socket = new JobSocket(section.dataset.job);
  socket.addEventListener("state", ({ detail: job }) => {
    for (const photo of job.photos) show(section, photo);
    const judged = job.photos.filter((photo) => photo.status !== "waiting").length;
    section.querySelector("[data-summary]").textContent = `${judged} of ${job.photos.length} looked at`;
    if (!FINAL.has(job.status)) return;
    socket.close();
    refresh();
  });
}

function show(section, photo) {
  const row = section.querySelector(`[data-photo="${photo.id}"]`);
  if (!row) return;
  const stamp = row.querySelector(".enrol-stamp");
  stamp.dataset.status = photo.status;
  stamp.textContent = WORDS[photo.status];
  row.querySelector("[data-sentence]").textContent = photo.sentence;
}

/** The whole panel anew: the templates that were made stand in it too. */
async function refresh() {
  const response = await fetch(place.dataset.url, { credentials: "same-origin" }).catch(() => null);
  if (response?.ok) place.innerHTML = await response.text();
}

for (const section of place?.querySelectorAll("[data-job]") ?? []) {
  if (!FINAL.has(section.dataset.status)) follow(section);
}

// unfold's script looks for this before it adds its own listener, which expects the text field of
// its own widget beside every file input.
for (const input of document.querySelectorAll("drop-zone input[type=file]")) input.hasChangeListener = true;
