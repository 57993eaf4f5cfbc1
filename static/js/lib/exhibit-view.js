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
    audio.setAttribute("aria-label", labelOf(view));
    view.append(audio);
    const wave = compact ? null : append(view, "wave-view", `Waveform: ${labelOf(view)}`);
    wave?.setAttribute("for", audio.id);
    return (base) => {
      audio.src = `${base}sound.flac`;
      if (wave) read(`${base}waveform.json`, (waveform) => wave.show(waveform));
    };
  },

  signal(view) {
    const wave = append(view, "wave-view", `Signal: ${labelOf(view)}`);
    return (base) => read(`${base}waveform.json`, (waveform) => wave.show(waveform));
  },

  volume(view, compact) {
    return sheets(view, compact ? ["orbit-view"] : ["sheet-view", "orbit-view"]);
  },

  clip(view, compact) {
    const video = make("video", { controls: true, loop: true, muted: true, playsInline: true, preload: "auto" });
    video.setAttribute("aria-label", labelOf(view));
    view.append(video);
    const showSheets = compact ? null : sheets(view, ["sheet-view", "orbit-view"]);
    return (base) => {
      video.src = `${base}clip.mp4`;
      showSheets?.(base);
    };
  },
};

/** Views of one sheet: to cut, and to turn. */
function sheets(view, tags) {
  const parts = tags.map((tag) => append(view, tag, labelOf(view)));
  return (base) => read(`${base}sheet.json`, (sheet) => parts.forEach((part) => part.show(sheet, base)));
}

const labelOf = (view) => view.getAttribute("label") ?? "";

function append(view, tag, label) {
  const part = document.createElement(tag);
  part.setAttribute("label", label);
  return view.appendChild(part);
}

/** The JSON at a URL, where there is one already. */
async function read(url, show) {
  const response = await fetch(url, { credentials: "same-origin" }).catch(() => null);
  if (response?.ok) show(await response.json());
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

customElements.define("exhibit-view", ExhibitView);
