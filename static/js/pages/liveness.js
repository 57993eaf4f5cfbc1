// The page Liveness: a check to try, one to record for the bench, and the list of the last ones.
const latest = document.getElementById("latest");
const form = document.querySelector("[data-record]");
const recordings = form.querySelector("[data-recordings]");
const recorder = form.querySelector("live-check");

const say = (name, sentence) => { document.getElementById(`${name}-error`).textContent = sentence; };

/** Whether the form says whose face it is and that they agreed; else the focus goes to what is missing. */
function isLabelled() {
  const { person, consent } = form.elements;
  say("person", person.value.trim() ? "" : "Give a code.");
  say("consent", consent.checked ? "" : "Nobody is recorded without their consent.");
  const missing = !person.value.trim() ? person : !consent.checked ? consent : null;
  missing?.focus();
  return !missing;
}

recorder.addEventListener("opening", (event) => {
  if (!isLabelled()) return event.preventDefault();
  const { species, person, scene } = form.elements;
  recorder.labels = { species: species.value, person: person.value.trim(), scene: scene.value.trim() };
});
form.addEventListener("submit", (event) => event.preventDefault());

/** Offer the recording; its bytes live in this page until it is left. */
function offer({ name, frames, blob }) {
  const line = document.createElement("p");
  line.className = "row";
  const link = Object.assign(document.createElement("a"), { className: "btn", href: URL.createObjectURL(blob), download: name, textContent: "Download" });
  const facts = Object.assign(document.createElement("span"), { className: "small", textContent: `${name} · ${frames} pictures, ${(blob.size / 1e6).toFixed(1)} MB` });
  line.append(link, facts);
  recordings.prepend(line);
}

document.addEventListener("decided", ({ detail: { recording } }) => {
  if (recording) offer(recording);
  window.htmx.ajax("GET", latest.dataset.url, { target: "#latest", swap: "innerHTML" });
});
