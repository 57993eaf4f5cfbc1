// <wave-view label="The result" for="AUDIO_ID">: samples over time, one trace a channel.
// .show(waveform) draws {seconds, rate, channels: [{name, unit, low, high, peaks: [[lo, hi] …]}]};
// again with a newer one while it is being made. A slider lies over the traces: click, drag or the
// arrow keys move the cursor. With an <audio> it seeks there and follows the playing (Space plays
// and pauses); without one it reads the values off.

import { make, vector } from "./elements.js";

const STEPS = 2000; // positions of the slider

/** Seconds as a person reads them: 0.85 s, 12.4 s, 1:05. */
export function clock(seconds) {
  return seconds < 60 ? `${seconds.toFixed(seconds < 10 ? 2 : 1)} s` : minutes(seconds);
}

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Ticks of 1, 2 or 5 in [0, seconds], at most `most` and one; 15 and 30 above a minute. */
export function timeTicks(seconds, most) {
  const unit = 10 ** Math.floor(Math.log10(seconds / most));
  const choices = seconds > 60 ? [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600] : [1, 2, 5, 10].map((n) => n * unit);
  const step = choices.find((each) => seconds / each <= most) ?? Math.ceil(seconds / most);
  return Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** A value to three digits, with a minus that is one. */
const short = (value) => String(Math.abs(value) >= 1000 ? Math.round(value) : +value.toPrecision(3)).replace("-", "−");

export class WaveView extends HTMLElement {
  static observedAttributes = ["label", "for"];
  #waveform = null;
  #rows = []; // {path, high, low, zero} a channel
  #traces = null; #slider = null; #axis = null; #reading = null;
  #audio = null; #raf = 0; #listening = null;
  #resized = new ResizeObserver(() => this.#ticks());

  connectedCallback() {
    if (!this.#slider) this.#build();
    this.#describe();
    this.#listen();
    this.#resized.observe(this);
    if (this.#waveform) this.show(this.#waveform);
  }

  disconnectedCallback() {
    this.#listening?.abort();
    this.#resized.disconnect();
    cancelAnimationFrame(this.#raf);
  }

  attributeChangedCallback(name) {
    if (!this.#slider) return;
    if (name === "for") this.#listen();
    this.#describe();
  }

  /** Draw a waveform; the cursor stays where it is. */
  show(waveform) {
    this.#waveform = waveform;
    if (!this.#slider) return;
    this.dataset.shown = "";
    const { channels } = waveform;
    if (channels.length !== this.#rows.length) this.#makeRows(channels.length);
    channels.forEach((channel, i) => this.#trace(this.#rows[i], channel));
    this.#slider.disabled = false;
    this.#ticks();
    this.#describe();
    this.#move();
  }

  get #label() { return this.getAttribute("label") ?? "Waveform"; }

  /** Where the cursor is, seconds. */
  get time() { return (this.#slider.value / STEPS) * (this.#waveform?.seconds ?? 0); }

  #build() {
    const plot = this.appendChild(make("div", "wave-plot"));
    this.#traces = plot.appendChild(make("div", "wave-traces"));
    this.#traces.setAttribute("role", "img");
    const cursor = plot.appendChild(make("i", "wave-cursor"));
    cursor.setAttribute("aria-hidden", "true");
    this.#slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: STEPS, value: 0, step: 1, disabled: true });
    plot.append(this.#slider);
    this.#axis = this.appendChild(make("div", "wave-axis num"));
    this.#axis.setAttribute("aria-hidden", "true");
    this.#reading = this.appendChild(make("p", "wave-reading num"));
    this.#reading.setAttribute("aria-hidden", "true"); // the slider says it
    this.#slider.addEventListener("input", () => {
      if (this.#audio) this.#audio.currentTime = this.time;
      this.#move();
    });
    this.#slider.addEventListener("keydown", (event) => this.#key(event));
  }

  #makeRows(count) {
    this.#rows = Array.from({ length: count }, () => {
      const row = make("div", "wave-row");
      const svg = row.appendChild(vector("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none" }));
      const zero = svg.appendChild(vector("path", { class: "wave-zero" }));
      const path = svg.appendChild(vector("path", { class: "wave-trace" }));
      const [name, high, low] = ["wave-name", "wave-high num", "wave-low num"].map((each) => row.appendChild(make("span", each)));
      return { row, path, zero, name, high, low };
    });
    this.#traces.replaceChildren(...this.#rows.map(({ row }) => row));
  }

  /** The highest values from left to right, then the lowest from right to left. */
  #trace({ path, zero, name, high, low }, channel) {
    const { peaks } = channel;
    const span = channel.high - channel.low || 1;
    const y = (value) => (1000 - (1000 * (value - channel.low)) / span).toFixed(1);
    const x = (i) => (peaks.length > 1 ? (1000 * i) / (peaks.length - 1) : 0).toFixed(1);
    const there = peaks.map(([, top], i) => `${x(i)} ${y(top)}`);
    const back = peaks.map(([bottom], i) => `${x(i)} ${y(bottom)}`).reverse();
    path.setAttribute("d", `M${there.join("L")}L${back.join("L")}Z`);
    zero.setAttribute("d", channel.low < 0 && channel.high > 0 ? `M0 ${y(0)}H1000` : "");
    name.textContent = channel.name;
    const unit = channel.unit ? ` ${channel.unit}` : "";
    const silent = !channel.name && !channel.unit; // a sound: the scale says nothing
    high.textContent = silent ? "" : short(channel.high) + unit;
    low.textContent = silent ? "" : short(channel.low) + unit;
  }

  #ticks() {
    const seconds = this.#waveform?.seconds;
    if (!seconds) return;
    const most = Math.max(2, Math.floor(this.clientWidth / 90));
    this.#axis.replaceChildren(...timeTicks(seconds, most).map((at) => {
      const tick = make("span", "", seconds > 60 ? minutes(at) : `${+at.toFixed(3)} s`);
      tick.style.setProperty("--at", at / seconds);
      return tick;
    }));
  }

  /** The cursor, what is said of its place, and how much is behind it. */
  #move() {
    const { seconds = 0, channels = [] } = this.#waveform ?? {};
    const share = this.#slider.value / STEPS;
    this.style.setProperty("--at", share);
    const values = this.#audio ? [] : channels.map(({ name, unit, peaks }) => {
      const [low, high] = peaks[Math.min(peaks.length - 1, Math.round(share * (peaks.length - 1)))];
      return [name, short((low + high) / 2), unit].filter(Boolean).join(" ");
    });
    const text = `${clock(share * seconds)} of ${clock(seconds)}`;
    this.#reading.textContent = values.length ? `${clock(share * seconds)}: ${values.join(", ")}` : text;
    this.#slider.setAttribute("aria-valuetext", [text, ...values].join(", "));
  }

  #key(event) {
    if (event.key === " " && this.#audio) {
      if (this.#audio.paused) this.#audio.play(); else this.#audio.pause();
      return event.preventDefault();
    }
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.#slider.value = Number(this.#slider.value) + (by * STEPS) / 50;
    this.#slider.dispatchEvent(new Event("input"));
  }

  #listen() {
    this.#listening?.abort();
    this.#audio = document.getElementById(this.getAttribute("for") ?? "");
    if (!this.#audio) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const follow = () => {
      this.#follow();
      cancelAnimationFrame(this.#raf);
      if (!this.#audio.paused) this.#raf = requestAnimationFrame(follow);
    };
    for (const type of ["play", "pause", "seeked", "timeupdate", "ended"]) this.#audio.addEventListener(type, follow, { signal });
  }

  #follow() {
    const seconds = this.#waveform?.seconds;
    if (!seconds) return;
    this.#slider.value = Math.round((STEPS * this.#audio.currentTime) / seconds);
    this.#move();
  }

  #describe() {
    this.#slider.setAttribute("aria-label", `Position in: ${this.#label}`);
    const { seconds, channels } = this.#waveform ?? {};
    const names = channels?.map(({ name }) => name).filter(Boolean).join(", ");
    const what = seconds ? `${clock(seconds)}${names ? `, ${names}` : ""}` : "nothing yet";
    this.#traces.setAttribute("aria-label", `${this.#label}: waveform, ${what}`);
  }
}

customElements.define("wave-view", WaveView);
