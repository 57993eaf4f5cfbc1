// <exhibit-view medium="sound" base="/…/" label="…" compact>: what a folder of an exhibit has to
// play, cut or turn. `compact` leaves away what needs room. A new `base` shows another folder.
import "./sheet-view.js";
import "./wave-view.js";

let count = 0;

export class ExhibitView extends HTMLElement {
  static observedAttributes = ["base"];
  #shown = false;
  #showing = null; // sets the parts to a folder

  connectedCallback() {
    if (this.#shown) return;
    this.#shown = true;
    this.#showing = PARTS[this.getAttribute("medium")]?.(this, this.hasAttribute("compact"));
    this.#show();
  }

  attributeChangedCallback() { if (this.#shown) this.#show(); }

  /** Whether something sounds or moves by itself: then a page should not change it. */
  get plays() { return [...this.querySelectorAll("audio, video")].some((player) => !player.paused); }

  #show() {
    const base = this.getAttribute("base");
    if (base) this.#showing?.(base);
  }
}

const PARTS = {
  sound(view, compact) {
    const audio = make("audio", { controls: true, preload: "metadata", id: `exhibit-${++count}` });
    const label = view.getAttribute("label") ?? "";
    audio.setAttribute("aria-label", label);
    const wave = compact ? null : make("wave-view", {});
    wave?.setAttribute("for", audio.id);
    wave?.setAttribute("label", `Waveform: ${label}`);
    const spectrum = compact ? null : make("img", { className: "spectrogram", alt: `Spectrogram: ${label}` });
    view.append(...[audio, wave, spectrum].filter(Boolean));
    return (base) => {
      audio.src = `${base}sound.flac`;
      if (compact) return;
      spectrum.src = `${base}spectrogram.jpg`;
      read(`${base}waveform.json`, (waveform) => wave.show(waveform));
    };
  },

  signal(view, compact) {
    const label = view.getAttribute("label") ?? "";
    const wave = make("wave-view", {});
    wave.setAttribute("label", `Signal: ${label}`);
    const spectrum = compact ? null : make("img", { className: "spectrogram", alt: `Spectrogram: ${label}` });
    view.append(...[wave, spectrum].filter(Boolean));
    return (base) => {
      if (spectrum) spectrum.src = `${base}spectrogram.jpg`;
      read(`${base}waveform.json`, (waveform) => wave.show(waveform));
    };
  },

  volume(view, compact) {
    const parts = [compact ? null : make("sheet-view", {}), make("orbit-view", {})].filter(Boolean);
    for (const part of parts) part.setAttribute("label", view.getAttribute("label") ?? "");
    view.append(...parts);
    return (base) => read(`${base}sheet.json`, (sheet) => parts.forEach((part) => part.show(sheet, base)));
  },

  clip(view, compact) {
    const video = make("video", { controls: true, loop: true, muted: true, playsInline: true, preload: "metadata" });
    video.setAttribute("aria-label", view.getAttribute("label") ?? "");
    const parts = compact ? [] : [make("sheet-view", {}), make("orbit-view", {})];
    view.append(video, ...parts);
    return (base) => {
      video.src = `${base}clip.mp4`;
      if (parts.length) read(`${base}sheet.json`, (sheet) => parts.forEach((part) => part.show(sheet, base)));
    };
  },
};

/** The JSON at a URL, where there is one already. */
async function read(url, show) {
  const response = await fetch(url, { credentials: "same-origin" }).catch(() => null);
  if (response?.ok) show(await response.json());
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

customElements.define("exhibit-view", ExhibitView);
