// Three photos, their encodings, and the triplet loss as the margin moves. The server encodes; all
// that is reckoned is reckoned here, by the same formula.
import "../lib/drop-zone.js";
import { fixed, line, look, plotHinge, strips } from "../lib/triplet-drawing.js";
import { difficulty, hinge, squaredDistance } from "../lib/triplet-loss.js";
import { Refusal, askWorker } from "../lib/worker-answer.js";

const ROLES = ["A", "P", "N"];
const SIZE = 128;
const page = document.getElementById("triplet");
const byId = (id) => document.getElementById(id);
const margin = byId("id_margin");
const number = byId("id_number");

/** Of each role: its card, its drop zone, which photo it holds, and that photo's encoding. */
const seats = Object.fromEntries(ROLES.map((role) => {
  const card = page.querySelector(`.role[data-role=${role}]`);
  return [role, { card, zone: card.querySelector("drop-zone"), file: null, encoding: null }];
}));
const known = new WeakMap(); // File -> promise of its encoding, so that a swap asks nobody
let moving = false; // files change places; the zones' own change events are no news

// --- from photos to numbers ----------------------------------------------------------------------

function encode(file) {
  const body = new FormData();
  body.append("photo", file);
  return askWorker(page.dataset.url, body);
}

async function seat(role, file) {
  const here = seats[role];
  here.file = file;
  here.encoding = null;
  state(role, file ? "Looking …" : "");
  show();
  if (!file) return;
  if (!known.has(file)) known.set(file, encode(file));
  try {
    const { encoding, encoder } = await known.get(file);
    if (here.file !== file) return;
    here.encoding = encoding;
    byId("encoder-name").textContent = `Encoded by ${encoder}.`;
    state(role, "");
  } catch (error) {
    known.delete(file);
    if (here.file !== file) return;
    state(role, "");
    here.zone.say(error instanceof Refusal ? error.message : "Something went wrong. Choose the photo again.");
  }
  show();
}

const state = (role, words) => { seats[role].card.querySelector(".role-state").textContent = words; };

/** Put these files into their seats at once. */
function place(files) {
  moving = true;
  for (const [role, file] of Object.entries(files)) {
    if (file) seats[role].zone.take([file]);
    else seats[role].zone.clear();
  }
  moving = false;
  return Promise.all(Object.entries(files).map(([role, file]) => seat(role, file)));
}

const swap = (one, other) => place({ [one]: seats[other].file, [other]: seats[one].file });

const drawn = new Map(); // name -> File
async function drawnPerson(name) {
  if (!drawn.has(name)) {
    const response = await fetch(`${page.dataset.start}${name}.jpg`).catch(() => null);
    if (!response?.ok) return null;
    drawn.set(name, new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" }));
  }
  return drawn.get(name);
}

async function take(role, name) {
  const file = await drawnPerson(name);
  if (file) return place({ [role]: file });
  return seats[role].zone.say("That picture could not be loaded. Try again.");
}

// --- what is shown -------------------------------------------------------------------------------

const KINDS = { easy: ["match", "Easy"], "semi-hard": ["unsure", "Semi-hard"], hard: ["no", "Hard"] };

function why(kind, dP, dN, alpha) {
  const gap = fixed(Math.abs(dN - dP));
  if (kind === "easy") return `The negative is farther than the positive by ${gap}, and α asks for ${fixed(alpha, 2)} only. The loss is zero: nothing is left to learn here.`;
  if (kind === "hard" && dP === dN) return "The negative is exactly as near as the positive. The loss is the whole margin.";
  if (kind === "hard") return `The negative is nearer than the positive, by ${gap}: somebody else would be taken for this person first. The loss is the whole margin and ${gap} more.`;
  return `The negative is farther than the positive, but by ${gap} where α asks for ${fixed(alpha, 2)}. The loss is what is missing.`;
}

/** Rounded as it is written, so that whoever reckons along gets the loss that stands there. */
const asShown = (distance) => Math.round(distance * 1000) / 1000;

function show() {
  const alpha = Number(margin.value);
  const [a, p, n] = encodings();
  byId("margin-meaning").textContent = fixed(alpha, 2);
  byId("in-m").textContent = fixed(alpha, 2);
  strips([a, p, n]);
  pick();
  const ready = a && p && n;
  page.toggleAttribute("data-ready", Boolean(ready));
  if (!ready) return waiting();
  const [dP, dN] = [p, n].map((other) => asShown(squaredDistance(a, other)));
  const loss = hinge(dP, dN, alpha);
  const kind = difficulty(dP, dN, alpha);
  const [stamp, word] = KINDS[kind];
  tell(stamp, word, why(kind, dP, dN, alpha));
  byId("in-p").textContent = fixed(dP);
  byId("in-n").textContent = fixed(dN);
  byId("loss").textContent = fixed(loss);
  line(dP, dN, alpha, loss);
  plotHinge(dP, dN, alpha, loss);
}

const encodings = () => ROLES.map((role) => seats[role].encoding);

/** The one number that is looked at, in all rows at once. */
function pick() {
  look(encodings(), Number(number.value) - 1);
  byId("number-meaning").textContent = `No ${number.value} of ${SIZE}`;
}

function waiting() {
  const missing = ROLES.filter((role) => !seats[role].file);
  const names = { A: "an anchor", P: "a positive", N: "a negative" };
  if (missing.length) tell("waiting", "Three photos make a triplet", `Choose ${missing.map((role) => names[role]).join(" and ")}.`);
  else if (ROLES.some((role) => !seats[role].encoding && seats[role].zone.hasAttribute("data-invalid"))) tell("waiting", "A photo is missing", "One of the photos cannot be used; what to do stands beneath it.");
  else tell("waiting", "Looking at the photos", "The network turns each face into 128 numbers.");
  for (const id of ["in-p", "in-n", "loss"]) byId(id).textContent = "–";
  byId("hinge").replaceChildren();
  byId("line").setAttribute("aria-label", "The line is empty until three faces are there.");
}

function tell(stamp, word, sentence) {
  const kind = byId("kind");
  if (kind.textContent !== word) kind.textContent = word; // announced when it changes, not with every step of α
  kind.className = `stamp ${stamp}`;
  byId("why").textContent = sentence;
}

// --- what a person does --------------------------------------------------------------------------

for (const role of ROLES) {
  const { card, zone } = seats[role];
  zone.addEventListener("change", () => { if (!moving) seat(role, zone.files[0] ?? null); });
  card.addEventListener("dragstart", (event) => {
    if (!seats[role].file) return event.preventDefault();
    event.dataTransfer.clearData();
    event.dataTransfer.setData("application/x-role", role);
    event.dataTransfer.effectAllowed = "move";
  });
  card.addEventListener("dragover", (event) => { if (ours(event)) { event.preventDefault(); card.classList.add("over"); } });
  card.addEventListener("dragleave", () => card.classList.remove("over"));
  card.addEventListener("drop", (event) => { // before the zone, which would look for files
    card.classList.remove("over");
    if (!ours(event)) return;
    event.preventDefault();
    event.stopPropagation();
    card.querySelector(".drop").classList.remove("over");
    const from = event.dataTransfer.getData("application/x-role");
    const person = event.dataTransfer.getData("application/x-drawn");
    if (person) take(role, person);
    else if (from && from !== role) swap(from, role);
  }, { capture: true });
}

const ours = (event) => event.dataTransfer.types.some((type) => type === "application/x-role" || type === "application/x-drawn");

for (const image of page.querySelectorAll(".cast img")) {
  image.addEventListener("dragstart", (event) => {
    event.dataTransfer.clearData();
    event.dataTransfer.setData("application/x-drawn", image.dataset.file);
  });
}

page.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-swap], [data-take]");
  if (!button) return;
  if (button.dataset.swap) swap(...button.dataset.swap);
  else take(button.dataset.as, button.dataset.take);
});
margin.addEventListener("input", () => {
  page.toggleAttribute("data-sliding", true); // the line keeps up with the hand
  show();
});
margin.addEventListener("change", () => page.toggleAttribute("data-sliding", false));
number.addEventListener("input", pick);
byId("strips").addEventListener("pointermove", (event) => {
  const svg = event.target.closest("svg");
  if (!svg) return;
  const { left, width } = svg.getBoundingClientRect();
  number.value = Math.min(SIZE, Math.max(1, Math.floor((event.clientX - left) / width * SIZE) + 1));
  pick();
});

async function begin() {
  await customElements.whenDefined("drop-zone");
  const cast = [...page.querySelectorAll(".cast [data-role]")].filter((image) => image.dataset.role);
  const files = await Promise.all(cast.map(async (image) => [image.dataset.role, await drawnPerson(image.dataset.file)]));
  const kept = ROLES.filter((role) => seats[role].zone.files.length); // by a reload
  await place(Object.fromEntries(files.map(([role, file]) => [role, kept.includes(role) ? seats[role].zone.files[0] : file])));
}

show();
begin();
