// <sheet-view> and <orbit-view>: slices or frames, and a turning projection, out of sheets:
// JPEGs that hold all pictures of a view in rows. Both take .show(sheet, baseUrl), again for
// another moment: place and axis stay, and the old picture until the new one has come.
// Their attribute `label` says of what they are.
// sheet: {views: {z: {file, count, columns, width, height, label}, …, orbit: {…}}}; baseUrl ends in "/".

import { make } from "./elements.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");
let views = 0; // for names that differ from view to view

/** One sheet: its picture, and how to draw one of its cells. */
class Sheet {
  #image = new Image();

  constructor(view, baseUrl) {
    this.view = view;
    this.#image.src = baseUrl + view.file;
    this.ready = this.#image.decode();
    this.ready.catch(() => {}); // who waits for it says so
  }

  draw(canvas, index, alpha = 1) {
    const { columns, width, height } = this.view;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.globalAlpha = alpha;
    context.drawImage(this.#image, (index % columns) * width, Math.floor(index / columns) * height, width, height, 0, 0, width, height);
  }
}

/** What both views have: a canvas, a slider with its words, and a sheet that comes. */
class SheetElement extends HTMLElement {
  stage = null; canvas = null; slider = null; label = null; reading = null;
  #coming = 0;

  connectedCallback() {
    if (this.canvas) return;
    const id = `sheet-${++views}`;
    this.canvas = make("canvas", "sheet-canvas");
    this.canvas.setAttribute("role", "img");
    this.stage = make("div", "sheet-stage");
    this.stage.append(this.canvas);
    const field = make("div", "field");
    const head = field.appendChild(make("div", "range-head"));
    this.label = head.appendChild(Object.assign(make("label", "label"), { htmlFor: id }));
    this.reading = head.appendChild(make("output", "hint num"));
    this.reading.setAttribute("aria-live", "off"); // the slider says it
    this.slider = field.appendChild(Object.assign(document.createElement("input"), { type: "range", id, min: 0, max: 0, value: 0, disabled: true }));
    this.append(this.stage, field);
    this.slider.addEventListener("input", () => this.chosen());
    this.#drag(this.stage);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.getAttribute("label") ?? "");
    this.build(field, id);
  }

  /** Dragging over the picture moves the slider; to and fro alone, so that a page still scrolls. */
  #drag(stage) {
    let from = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button || this.slider.disabled) return;
      stage.setPointerCapture(event.pointerId);
      from = { x: event.clientX, value: Number(this.slider.value) };
    });
    stage.addEventListener("pointermove", (event) => {
      if (from) this.dragged(from.value, (event.clientX - from.x) / stage.clientWidth);
    });
    for (const type of ["pointerup", "pointercancel"]) stage.addEventListener(type, () => { from = null; });
  }

  /** Resolves to the sheet; to null where a newer one was asked for, or where it cannot be had. */
  async load(view, baseUrl) {
    const turn = ++this.#coming;
    const sheet = new Sheet(view, baseUrl);
    this.style.setProperty("--ratio", `${view.width} / ${view.height}`);
    if (this.dataset.shown === undefined) this.stage.dataset.said = "The pictures are coming.";
    try {
      await sheet.ready;
    } catch {
      if (turn === this.#coming) this.stage.dataset.said = "These pictures could not be loaded.";
      return null;
    }
    if (turn !== this.#coming) return null;
    this.slider.disabled = false;
    this.slider.max = view.count - 1;
    this.dataset.shown = "";
    delete this.stage.dataset.said;
    return sheet;
  }
}

export class SheetView extends SheetElement {
  #sheet = null; #baseUrl = ""; #axis = ""; #shown = null; #choice = null;
  #places = {}; // axis → index
  #loaded = {}; // axis → Sheet

  build(field, id) {
    this.#choice = make("fieldset", "field");
    this.#choice.append(make("legend", "", "View"), make("div", "segmented"));
    this.#choice.dataset.name = `${id}-axis`;
    this.#choice.addEventListener("change", ({ target }) => this.#take(target.value));
    this.append(this.#choice);
  }

  show(sheet, baseUrl) {
    [this.#sheet, this.#baseUrl, this.#loaded] = [sheet, baseUrl, {}];
    const axes = Object.keys(sheet.views).filter((name) => name !== "orbit");
    if (String(axes) !== this.#choice.dataset.axes) this.#offer(axes);
    return this.#take(axes.includes(this.#axis) ? this.#axis : axes[0]);
  }

  #offer(axes) {
    this.#choice.dataset.axes = axes;
    this.#choice.hidden = axes.length < 2;
    this.#choice.lastChild.replaceChildren(...axes.map((axis) => {
      const label = make("label");
      label.append(Object.assign(document.createElement("input"), { type: "radio", name: this.#choice.dataset.name, value: axis, checked: axis === (this.#axis || axes[0]) }));
      label.append(make("span", "", this.#sheet.views[axis].label ?? axis));
      return label;
    }));
  }

  async #take(axis) {
    this.#axis = axis;
    const view = this.#sheet.views[axis];
    const sheet = await this.load(view, this.#baseUrl);
    if (!sheet) return;
    this.#shown = sheet;
    this.label.textContent = view.label ?? axis;
    this.slider.value = Math.min(this.#places[axis] ?? Math.floor(view.count / 2), view.count - 1);
    this.chosen();
    for (const other of Object.keys(this.#sheet.views)) { // so that the next axis is there at once
      if (other !== axis && other !== "orbit") this.#loaded[other] ??= new Sheet(this.#sheet.views[other], this.#baseUrl);
    }
  }

  chosen() {
    const index = Number(this.slider.value);
    this.#places[this.#axis] = index;
    this.#shown.draw(this.canvas, index);
    const { count } = this.#shown.view;
    this.reading.textContent = `${index + 1} of ${count}`;
    this.slider.setAttribute("aria-valuetext", `${index + 1} of ${count}`);
    this.canvas.setAttribute("aria-label", `${this.label.textContent}, ${index + 1} of ${count}`);
  }

  dragged(value, share) {
    this.slider.value = Math.round(value + share * this.#shown.view.count);
    this.chosen();
  }
}

const TURN = 14_000; // ms for a whole turn

export class OrbitView extends SheetElement {
  #shown = null; #at = 0; #raf = 0; #before = 0; #button = null;
  #seen = false; #turning = !still.matches;
  #watch = new IntersectionObserver(([{ isIntersecting }]) => { this.#seen = isIntersecting; this.#run(); });

  connectedCallback() { super.connectedCallback(); this.#watch.observe(this); }

  disconnectedCallback() { this.#watch.disconnect(); this.#seen = false; this.#run(); }

  build(field) {
    this.label.textContent = "Turned by";
    this.#button = Object.assign(make("button", "btn small"), { type: "button" });
    this.#button.addEventListener("click", () => this.#turn(!this.#turning));
    field.after(this.#button);
    this.slider.addEventListener("keydown", (event) => { // round and round
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!by || !this.#shown) return;
      event.preventDefault();
      this.#turn(false);
      this.#set(Math.round(this.#at) + by);
    });
    this.#turn(this.#turning);
  }

  async show(sheet, baseUrl) {
    const loaded = await this.load(sheet.views.orbit, baseUrl);
    if (!loaded) return;
    this.#shown = loaded;
    this.slider.step = "any";
    this.slider.max = loaded.view.count;
    this.#set(this.#at);
    this.#run();
  }

  chosen() { this.#turn(false); this.#set(Number(this.slider.value)); }

  dragged(value, share) { this.#turn(false); this.#set(value + (share * this.#shown.view.count) / 2); }

  #turn(turning) {
    this.#turning = turning;
    this.#button.textContent = turning ? "Pause" : "Turn slowly";
    this.#run();
  }

  #run() {
    const run = this.#turning && this.#seen && this.#shown;
    if (!run) { cancelAnimationFrame(this.#raf); this.#raf = 0; return; }
    if (this.#raf) return;
    this.#before = 0;
    const step = (now) => {
      const passed = this.#before ? Math.min(now - this.#before, 100) : 0;
      this.#before = now;
      this.#set(this.#at + (passed / TURN) * this.#shown.view.count);
      this.#raf = requestAnimationFrame(step);
    };
    this.#raf = requestAnimationFrame(step);
  }

  /** Between two pictures both are shown, each by its share. */
  #set(at) {
    const { count } = this.#shown.view;
    this.#at = ((at % count) + count) % count;
    const index = Math.floor(this.#at) % count;
    const share = this.#at - index;
    this.#shown.draw(this.canvas, index);
    if (share > 0.02) this.#shown.draw(this.canvas, (index + 1) % count, share);
    this.slider.value = this.#at;
    const degrees = Math.round((360 * this.#at) / count) % 360;
    this.reading.textContent = `${degrees}°`;
    this.slider.setAttribute("aria-valuetext", `${degrees} degrees`);
    this.canvas.setAttribute("aria-label", `${this.#shown.view.label ?? "The whole, as it turns"}`);
  }
}

customElements.define("sheet-view", SheetView);
customElements.define("orbit-view", OrbitView);
