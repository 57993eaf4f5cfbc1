// What the panel of a live check shows: the window with its ring, the instruction, the hint, the time.
import { HINTS, MOVEMENTS, PHASES, STATES } from "./live-words.js";

const SVG = "http://www.w3.org/2000/svg";
const CENTRE = 180; // of the ring, in units of its viewBox
const RADII = [129, 161];
const GAP = 0.09; // radians between two segments
const LASTING = 900; // ms that a hint stays, so that none flickers
const TICK = "m-5 .5 3.4 3.6L5.2-3.8";

export class LiveView {
  #dialog; #ring; #said; #hint; #left; #arrow; #cancel; #again;
  #segments = []; #ends = 0; #clock = 0; #hinted = 0; #hintLater = 0;

  constructor(dialog) {
    const part = (name) => dialog.querySelector(`[data-${name}]`);
    this.#dialog = dialog;
    this.#ring = part("ring");
    this.#said = part("instruction");
    this.#hint = part("hint");
    this.#left = part("left");
    this.#arrow = part("arrow");
    this.#cancel = part("cancel");
    this.#again = part("again");
    this.video = dialog.querySelector("video");
  }

  /** Show the camera; resolves when it plays. */
  async watch(stream) {
    this.video.srcObject = stream;
    await this.video.play();
  }

  /** A state without progress: starting, waiting, away. */
  state(name) {
    const [title, hint] = STATES[name];
    this.#show(name, title);
    this.#showHint(hint, { now: true });
    this.#again.hidden = true;
    this.#cancel.textContent = "Cancel";
  }

  /** The session runs, for the first time or again. */
  begin({ steps, done, expires_in: seconds }) {
    this.#cut(steps);
    this.#fill(done, 0);
    this.#ends = performance.now() + 1000 * seconds;
    clearInterval(this.#clock);
    this.#clock = setInterval(() => this.#tell(), 500);
    this.#tell();
    this.#show("find", PHASES.find);
    this.#showHint("", { now: true });
  }

  progress({ phase, done, steps, movement, share, hint }) {
    const asked = MOVEMENTS[movement];
    const moves = phase === "move" && asked;
    this.#cut(steps);
    this.#fill(done, phase === "return" ? 1 : moves ? share : 0);
    this.#show(phase, moves ? asked.say : PHASES[phase] ?? PHASES.find, moves ? asked : null);
    const said = phase === "return" && hint === "straight"; // by the instruction
    this.#showHint(said ? "" : HINTS[hint] ?? "");
  }

  /** How it ended. */
  end(state, advice = "", title = "") {
    this.#rest();
    const [word, hint] = STATES[state] ?? ["", ""];
    if (state === "passed") this.#fill(this.#segments.length, 0);
    this.#show(state, title || word);
    this.#showHint(advice || hint, { now: true });
    this.#left.textContent = "";
    this.#again.hidden = state === "passed" && !this.#dialog.closest("[stays]");
    this.#cancel.textContent = "Close";
    (this.#again.hidden ? this.#cancel : this.#again).focus();
  }

  clear() {
    this.#rest();
    this.#cut(0);
    this.#show("closed", "");
    this.#showHint("", { now: true });
    this.#left.textContent = "";
  }

  #rest() {
    clearInterval(this.#clock);
    this.video.srcObject = null;
  }

  // --- words -----------------------------------------------------------------------------------

  #show(state, words, asked = null) {
    this.#dialog.dataset.state = state;
    if (this.#said.textContent !== words) this.#said.textContent = words;
    if (asked && this.#arrow.dataset.side !== asked.side + asked.sign) {
      this.#arrow.dataset.side = asked.side + asked.sign;
      this.#arrow.className = `live-arrow ${asked.side}`;
      this.#arrow.querySelector("path").setAttribute("d", asked.sign);
    }
    this.#arrow.hidden = !asked;
  }

  /** A hint stays for a moment even where the next frame has another, or none. */
  #showHint(words, { now = false } = {}) {
    clearTimeout(this.#hintLater);
    const wait = now || !this.#hint.textContent ? 0 : this.#hinted + LASTING - performance.now();
    if (wait > 0) {
      this.#hintLater = setTimeout(() => this.#showHint(words, { now: true }), wait);
    } else if (this.#hint.textContent !== words) {
      this.#hint.textContent = words;
      this.#hinted = performance.now();
    }
  }

  #tell() {
    const seconds = Math.max(0, Math.ceil((this.#ends - performance.now()) / 1000));
    this.#left.textContent = `${seconds} s left`;
  }

  // --- the ring ----------------------------------------------------------------------------------

  /** As many segments as there are movements, clockwise from the top; each with its tick. */
  #cut(steps) {
    if (this.#segments.length === steps) return;
    this.#ring.querySelectorAll("g").forEach((old) => old.remove());
    this.#segments = Array.from({ length: steps }, (_, i) => {
      const [from, to] = [(i / steps), ((i + 1) / steps)].map((turn) => 2 * Math.PI * turn);
      const group = document.createElementNS(SVG, "g");
      const d = arc(from + GAP / 2, to - GAP / 2);
      const [x, y] = point((from + to) / 2);
      group.append(shape("path", { class: "live-track", d }), shape("path", { class: "live-share", d, pathLength: 1 }));
      const tick = shape("g", { class: "live-tick", transform: `translate(${x} ${y})` });
      tick.append(shape("circle", { r: 12 }), shape("path", { d: TICK }));
      group.append(tick);
      this.#ring.append(group);
      return group;
    });
    this.#ring.setAttribute("aria-valuemax", steps);
  }

  #fill(done, share) {
    this.#segments.forEach((segment, i) => {
      segment.toggleAttribute("data-done", i < done);
      segment.style.setProperty("--share", String(i < done ? 1 : i === done ? share : 0));
    });
    this.#ring.setAttribute("aria-valuenow", done);
    this.#ring.setAttribute("aria-valuetext", `${done} of ${this.#segments.length} movements done`);
  }
}

const point = (turn) => [CENTRE + RADII[0] * Math.sin(turn), CENTRE - RADII[1] * Math.cos(turn)].map((x) => x.toFixed(2));

function arc(from, to) {
  const far = to - from > Math.PI ? 1 : 0;
  return `M${point(from).join(" ")}A${RADII.join(" ")} 0 ${far} 1 ${point(to).join(" ")}`;
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
