// Verify and Identify: send a passed live check, follow the attempt to its answer, and show the photo
// that was asked about.
import { JobSocket } from "../lib/job-socket.js";
import { watchLink } from "../lib/notices.js";

const SLOW = 3000; // ms until the page says that it takes longer than usual
const FINAL = new Set(["done", "failed", "cancelled"]);

const answer = document.getElementById("answer");
const form = document.querySelector("form[hx-post]");
let socket = null;
let sent = null; // the file that the present answer is about; it never comes back from the server
let shown = ""; // its object URL

/** Listen until the attempt has settled; htmx then fetches the answer. */
function follow(waiting) {
  socket?.close();
  const own = new JobSocket(waiting.dataset.attempt);
  socket = own;
  watchLink(own);
  const slow = setTimeout(() => { waiting.querySelector("[data-slow]").hidden = false; }, SLOW);
  own.addEventListener("state", ({ detail: job }) => {
    if (!FINAL.has(job.status)) return;
    clearTimeout(slow);
    own.close();
    window.htmx.trigger(waiting, "settled");
  });
}

/** Put the photo under the boxes; a kind that the browser cannot show leaves just the list. */
function showPicture(figure) {
  if (!sent) return;
  URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(sent);
  const img = figure.querySelector("img");
  img.addEventListener("load", () => { figure.hidden = false; }, { once: true });
  img.src = shown;
}

/** On a phone the answer lies below the form. */
function reveal() {
  const { top } = answer.getBoundingClientRect();
  if (top < 0 || top > 0.7 * window.innerHeight) answer.scrollIntoView({ block: "start" });
}

function look() {
  const waiting = answer.querySelector("[data-attempt]");
  if (waiting && !waiting.dataset.followed) {
    waiting.dataset.followed = "yes";
    follow(waiting);
    reveal();
  } else if (!waiting) {
    socket?.close();
  }
  const figure = answer.querySelector("[data-picture]");
  if (figure?.hidden) showPicture(figure);
}

// --- a live check instead of a photo -------------------------------------------------------------
const check = form?.querySelector("live-check");

/** What the form holds beside a live check would contradict it. */
function askBy(session) {
  form.elements.liveness_session.value = session;
  form.querySelector("[data-held]").hidden = !session;
  if (!session) return;
  form.querySelector("drop-zone")?.clear();
  if (form.elements.vouched) form.elements.vouched.value = "";
}

function claimIsMissing() {
  const claim = form.elements.subject;
  const missing = claim && !claim.value.trim();
  if (claim) document.getElementById("subject-error").textContent = missing ? "Say first who they claim to be." : "";
  if (missing) claim.focus();
  return missing;
}

check?.addEventListener("opening", (event) => {
  askBy("");
  if (claimIsMissing()) event.preventDefault();
});
check?.addEventListener("passed", ({ detail: { id } }) => {
  askBy(id);
  form.requestSubmit();
});
form?.addEventListener("change", ({ target }) => { if (target.type === "file" && target.files.length) askBy(""); });

form?.querySelector("[data-vouch]")?.addEventListener("click", (event) => {
  const missing = !form.elements.vouched.value.trim();
  document.getElementById("vouched-error").textContent = missing ? "Say how you made sure." : "";
  if (!missing) return;
  event.preventDefault();
  form.elements.vouched.focus();
});

form?.addEventListener("htmx:beforeRequest", ({ target }) => {
  if (target === form) sent = form.querySelector("input[type=file]")?.files[0] ?? null;
});
// A live check counts once, and a word for somebody is not one for the next. Where something else was
// wrong with the question it may be asked again.
form?.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (target !== form) return;
  if (detail.successful || detail.xhr.status === 409) askBy("");
  if (detail.successful && form.elements.vouched) form.elements.vouched.value = "";
});
document.addEventListener("htmx:afterSettle", look);
look();
