// One unit: its patches in their pictures, the picture made for it, and a photo tried on it. Going to
// another unit changes the page in place, so that the photo stays.
import "../lib/drop-zone.js";
import { Refusal, askWorker, token } from "../lib/worker-answer.js";

const byId = (id) => document.getElementById(id);
const unit = () => byId("unit");

// --- a patch in its picture ------------------------------------------------------------------------

const dialog = byId("source");
let shown = 0;
const patches = () => [...document.querySelectorAll(".patch")];

function showSource(index) {
  const all = patches();
  shown = (index + all.length) % all.length;
  const { dataset, href } = all[shown];
  const [x, y, w, h] = dataset.place.split(" ");
  byId("source-title").textContent = dataset.title;
  byId("source-picture").src = href;
  byId("source-picture").alt = `${dataset.title}, as the network saw it`;
  const stage = dialog.querySelector(".source-stage");
  stage.style.setProperty("--ratio", dataset.width / dataset.height);
  stage.style.aspectRatio = `${dataset.width} / ${dataset.height}`;
  for (const [name, value] of Object.entries({ x, y, w, h })) byId("source-box").style.setProperty(`--${name}`, value);
  const beyond = "beyond" in dataset ? " It looks over the picture’s edge." : "";
  byId("source-says").textContent = `Place ${shown + 1} of ${all.length}: activation ${dataset.activation}. The box is what the unit sees.${beyond}`;
  for (const id of ["source-before", "source-after"]) byId(id).hidden = all.length < 2;
}

document.addEventListener("click", (event) => {
  const patch = event.target.closest(".patch");
  if (!patch || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  showSource(patches().indexOf(patch));
  dialog.showModal();
});
byId("source-before").addEventListener("click", () => showSource(shown - 1));
byId("source-after").addEventListener("click", () => showSource(shown + 1));
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("close", () => patches()[shown]?.focus());
dialog.addEventListener("keydown", (event) => {
  const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!turn) return;
  event.preventDefault();
  event.stopPropagation();
  showSource(shown + turn);
});

// --- the picture made for it -----------------------------------------------------------------------

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Have the picture made, and show it as it comes. */
async function make() {
  const page = unit();
  const [frame, meter, says] = [byId("made"), byId("made-meter"), byId("made-says")];
  byId("make")?.setAttribute("aria-busy", "true");
  says.textContent = "It waits for its turn.";
  try {
    let told = await state(page, "POST");
    while (page.isConnected && frame.isConnected) {
      if (told.done) return showMade(page, frame, meter, says, told);
      if (told.code) throw new Refusal([told.message, told.hint].filter(Boolean).join(" "));
      if (told.steps) showMaking(frame, meter, says, told);
      if (told.step === undefined) told = await state(page, "POST"); // a worker left it
      await wait(400);
      told = await state(page, "GET");
    }
  } catch (error) {
    if (!frame.isConnected) return;
    byId("make")?.removeAttribute("aria-busy");
    meter.hidden = true;
    says.textContent = error instanceof Refusal ? error.message : "Something went wrong. Try again.";
  }
}

async function state(page, method) {
  const response = await fetch(page.dataset.excite, { method, credentials: "same-origin", headers: method === "POST" ? { "X-CSRFToken": token() } : {} }).catch(() => null);
  const told = await response?.json().catch(() => null);
  if (!told) throw new Refusal("The server cannot be reached. Try again in a moment.");
  return told;
}

function showMaking(frame, meter, says, { step, steps, picture }) {
  meter.hidden = false;
  meter.style.setProperty("--done", step / steps);
  meter.setAttribute("aria-valuemax", steps);
  meter.setAttribute("aria-valuenow", step);
  says.textContent = `Step ${step} of ${steps}`;
  if (picture) picturesIn(frame).src = `data:image/jpeg;base64,${picture}`;
}

function showMade(page, frame, meter, says, { activation }) {
  meter.hidden = true;
  const image = picturesIn(frame);
  image.src = page.dataset.excited;
  image.alt = `A picture made to excite unit ${page.dataset.unit}`;
  const best = document.querySelector(".patch")?.dataset.activation;
  if (!activation) return void (says.textContent = "Not even a picture made for it excites this unit: it never learnt to answer.");
  says.textContent = `Begun from noise and changed, step by step, to excite this unit: activation ${activation.toFixed(2)}${best ? `, where the best patch has ${best}` : ""}.`;
}

function picturesIn(frame) {
  let image = frame.querySelector("img");
  if (!image) {
    image = Object.assign(document.createElement("img"), { alt: "The picture as it is made", width: 256, height: 256 });
    frame.replaceChildren(image);
  }
  return image;
}

document.addEventListener("click", (event) => { if (event.target.closest("#make")) make(); });

// --- a photo tried on it -----------------------------------------------------------------------------

const tries = byId("try");
const zone = tries?.querySelector("drop-zone");
const opacity = byId("id_opacity");
const SENT_SIDE = 1280; // pixels: the server scales to this anyway
const small = new WeakMap(); // File -> promise of a smaller copy, made once
let asked = null; // AbortController of the look that is under way

/** A copy that travels fast; the file itself where the browser cannot decode it. */
function smaller(file) {
  if (!small.has(file)) {
    small.set(file, createImageBitmap(file).then((bitmap) => {
      const scale = Math.min(1, SENT_SIDE / Math.max(bitmap.width, bitmap.height));
      if (scale === 1 && file.size < 1e6) return file;
      const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
      canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      return new Promise((done) => canvas.toBlob((blob) => done(blob ?? file), "image/jpeg", 0.92));
    }).catch(() => file));
  }
  return small.get(file);
}

async function look() {
  asked?.abort();
  const file = zone.files[0];
  tries.toggleAttribute("data-filled", Boolean(file));
  if (!file) {
    byId("heat").hidden = byId("try-more").hidden = true;
    return;
  }
  const mine = asked = new AbortController();
  const page = unit();
  byId("heat-says").textContent = "Looking …";
  zone.say("");
  try {
    const body = new FormData();
    body.append("photo", await smaller(file), "photo.jpg");
    const seen = await askWorker(page.dataset.heat, body, { signal: mine.signal });
    if (asked === mine) showHeat(seen, Number(page.dataset.unit), page.dataset.wall);
  } catch (error) {
    if (error.name === "AbortError" || asked !== mine) return;
    byId("heat").hidden = byId("try-more").hidden = true;
    zone.say(error instanceof Refusal ? error.message : "Something went wrong. Choose the photo again.");
  }
}

function showHeat({ peak, box, width, height, picture, overlay, strongest, milliseconds }, number, wall) {
  byId("heat").style.setProperty("--ratio", width / height);
  byId("heat-seen").src = `data:image/jpeg;base64,${picture}`;
  byId("heat-seen").alt = "Your photo, as the network saw it";
  byId("heat-over").src = `data:image/png;base64,${overlay}`;
  byId("heat-over").alt = `Where unit ${number} answers`;
  const [left, top, right, bottom] = box;
  const place = { x: left / width, y: top / height, w: (right - left) / width, h: (bottom - top) / height };
  for (const [name, share] of Object.entries(place)) byId("heat-peak").style.setProperty(`--${name}`, 100 * share);
  byId("heat-peak").hidden = peak <= 0;
  byId("heat-says").textContent = peak > 0 ? `Unit ${number} answers with ${peak.toFixed(2)} at most` : `Unit ${number} does not answer to this photo`;
  byId("heat-more").textContent = `${peak > 0 ? "The box is where. " : ""}Looked at in ${Math.round(milliseconds)} ms`;
  const most = strongest[0]?.[1] || 1;
  byId("strongest").replaceChildren(...strongest.map(([other, activation]) => {
    const link = document.createElement("a");
    link.href = wall.replace(/(?=\?|$)/, `${other}/`);
    link.dataset.unitLink = "";
    if (other === number) link.setAttribute("aria-current", "true");
    link.style.setProperty("--share", activation / most);
    link.append(spriteOf(other),
      Object.assign(document.createElement("b"), { textContent: `Unit ${other}` }), document.createElement("i"),
      Object.assign(document.createElement("span"), { className: "num", textContent: activation.toFixed(2) }));
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  byId("heat").hidden = byId("try-more").hidden = false;
}

/** A unit's nine, as they hang on the wall: a part of a sheet of eight by eight. */
function spriteOf(number) {
  const { sheets, of } = unit().dataset;
  const sprite = Object.assign(document.createElement("span"), { className: "sprite" });
  if (!sheets) return sprite;
  const [sheet, place] = [Math.floor(number / 64), number % 64];
  const rows = Math.ceil(Math.min(64, of - 64 * sheet) / 8);
  for (const [name, value] of Object.entries({ column: place % 8, row: Math.floor(place / 8), rows })) sprite.style.setProperty(`--${name}`, value);
  sprite.append(Object.assign(document.createElement("img"), { src: sheets.replace("-0.jpg", `-${sheet}.jpg`), alt: "" }));
  return sprite;
}

function showOpacity() {
  tries.style.setProperty("--opacity", opacity.value / 100);
  byId("opacity-meaning").textContent = `${opacity.value} %`;
}

if (tries) {
  zone.addEventListener("change", look);
  opacity.addEventListener("input", showOpacity);
  showOpacity();
  customElements.whenDefined("drop-zone").then(() => { if (zone.files.length) look(); }); // kept by a reload
}

// --- another unit, in place ----------------------------------------------------------------------------

async function go(url, { push = true } = {}) {
  const response = await fetch(url, { credentials: "same-origin" }).catch(() => null);
  const text = response?.ok ? await response.text() : "";
  const page = new DOMParser().parseFromString(text, "text/html");
  const next = page.getElementById("unit");
  if (!next) return location.assign(url);
  const focused = document.activeElement;
  const back = unit().contains(focused) ? focused.id : null;
  unit().replaceWith(document.adoptNode(next));
  document.title = page.title;
  if (push) history.pushState({}, "", url);
  htmx.process(unit());
  if (back !== null) (byId(back) ?? byId("unit-after")).focus();
  else if (focused && !focused.isConnected) byId("unit-after").focus();
  if (zone?.files.length) look();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-unit-link]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href);
});
window.addEventListener("popstate", () => go(location.href, { push: false }));
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || dialog.open) return;
  if (event.target.closest?.("input, select, textarea, dialog")) return;
  const link = { ArrowLeft: "unit-before", ArrowRight: "unit-after" }[event.key];
  if (!link) return;
  event.preventDefault();
  go(byId(link).href);
});
