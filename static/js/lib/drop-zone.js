// <drop-zone name label>: a native file input that also takes a drop, a paste and the webcam,
// and shows what it holds. Without this script the input inside works as it is.
//
// Attributes: name, label, invitation, capture (offer the camera), multiple, compact,
// max-mb, max-megapixels, max-files; for what is no picture `accept` (endings: ".wav,.flac") and
// `formats` (their names). Fires a bubbling `change` whenever what it holds changes.
import { hasCamera, takePhoto } from "./camera.js";

const MB = 1024 * 1024;
const LANDING = `<svg viewBox="0 0 36 36" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true"><path d="M4 4h28v28H4z"/><path d="M18 11v14M11 18h14" stroke-linecap="round"/></svg>`;

export class DropZone extends HTMLElement {
  #input = null; #drop = null; #shown = null; #error = null;
  #files = []; #urls = []; #telling = false;

  connectedCallback() {
    if (this.#input) return;
    this.#input = this.querySelector("input[type=file]") ?? this.#makeInput();
    this.#build();
    this.#input.addEventListener("change", (event) => {
      if (!this.#telling) this.#chosen(event);
    });
    this.#input.form?.addEventListener("reset", () => this.#hold([], { quietly: true }));
    this.#listenForDrops();
    if (this.#input.files.length) this.#hold([...this.#input.files], { quietly: true }); // kept by a reload
  }

  /** The files that the form will send. */
  get files() { return [...this.#files]; }

  get input() { return this.#input; }

  /** The endings of the files that it takes; null: pictures. */
  get #endings() { return this.getAttribute("accept")?.split(",") ?? null; }

  /** Take files as if they had been chosen; refuses with a sentence what cannot be sent. */
  take(files) {
    const accepted = [];
    for (const file of files) {
      const refusal = this.#refusal(file);
      if (refusal) return this.say(refusal);
      accepted.push(file);
    }
    if (!accepted.length) return this.say(`There is no ${this.#endings ? "file" : "picture"} in what you dropped or pasted.`);
    const all = this.#input.multiple ? [...this.#files, ...accepted] : accepted.slice(0, 1);
    const most = Number(this.getAttribute("max-files")) || Infinity;
    if (all.length > most) return this.say(`At most ${most} photos at once. Remove some first.`);
    this.say("");
    this.#hold(all);
  }

  /** Take the picture at a URL of this site (a picture to start with). */
  async setFromUrl(url, name = url.split("/").pop()) {
    const response = await fetch(url, { credentials: "same-origin" }).catch(() => null);
    if (!response?.ok) return this.say("That picture could not be loaded. Try again, or choose another.");
    const blob = await response.blob();
    this.take([new File([blob], name, { type: blob.type })]);
  }

  clear() { this.say(""); this.#hold([]); }

  /** Show a sentence about what this zone holds, or take it back with "". */
  say(sentence) {
    this.#error ??= document.getElementById(`${this.#input.name}-error`) ?? this.#makeError();
    if (!this.#error.isConnected) this.#error = document.getElementById(`${this.#input.name}-error`);
    this.#error.textContent = sentence;
    this.toggleAttribute("data-invalid", Boolean(sentence));
    this.#input.setAttribute("aria-invalid", String(Boolean(sentence)));
  }

  // --- what it is made of ------------------------------------------------------------------------

  #makeInput() {
    const input = Object.assign(document.createElement("input"), {
      type: "file", accept: this.getAttribute("accept") ?? "image/*", name: this.getAttribute("name") ?? "photo",
      multiple: this.hasAttribute("multiple"),
    });
    input.id = `id_${input.name}`;
    if (!document.querySelector(`label[for="${input.id}"]`)) {
      input.setAttribute("aria-label", this.getAttribute("label") ?? "Picture");
    }
    return input;
  }

  #makeError() {
    const error = Object.assign(document.createElement("p"), { className: "field-error", id: `${this.#input.name}-error` });
    this.after(error);
    return error;
  }

  #build() {
    this.#drop = Object.assign(document.createElement("div"), { className: "drop" });
    const empty = Object.assign(document.createElement("div"), { className: "drop-empty" });
    const limit = this.getAttribute("max-mb");
    empty.innerHTML = LANDING;
    empty.append(
      Object.assign(document.createElement("b"), { textContent: this.getAttribute("invitation") ?? "Drop a photo here" }),
      Object.assign(document.createElement("span"), { textContent: `paste it, or choose a file${limit ? ` · up to ${limit} MB` : ""}` }),
    );
    empty.setAttribute("aria-hidden", "true"); // the input itself is announced
    this.#shown = Object.assign(document.createElement("div"), { className: "drop-shown" });
    this.#drop.append(this.#input, empty, this.#shown);
    this.append(this.#drop);
    if (this.hasAttribute("capture") && hasCamera()) {
      const tools = Object.assign(document.createElement("div"), { className: "row" });
      const camera = Object.assign(document.createElement("button"), { type: "button", className: "btn small", textContent: "Use the camera" });
      camera.addEventListener("click", async () => {
        const photo = await takePhoto(this.getAttribute("label") ?? "A photo");
        if (photo) this.take([photo]);
        camera.focus();
      });
      tools.append(camera);
      this.append(tools);
    }
  }

  #listenForDrops() {
    let inside = 0; // enter and leave come for every child
    const over = (change) => { inside = Math.max(0, change); this.#drop.classList.toggle("over", inside > 0); };
    this.#drop.addEventListener("dragenter", (event) => { event.preventDefault(); over(inside + 1); });
    this.#drop.addEventListener("dragover", (event) => event.preventDefault());
    this.#drop.addEventListener("dragleave", () => over(inside - 1));
    this.#drop.addEventListener("drop", (event) => {
      event.preventDefault();
      over(0);
      this.take([...event.dataTransfer.files]);
    });
  }

  // --- what it holds -------------------------------------------------------------------------------

  #chosen(event) {
    event.stopPropagation(); // our own change follows, once the files are judged
    const files = [...this.#input.files];
    if (files.length) this.take(files);
    this.#fill(); // a cancelled or refused choice leaves what was there before
  }

  #refusal(file) {
    const name = file.name || "That";
    const limit = Number(this.getAttribute("max-mb")) || Infinity;
    const endings = this.#endings;
    if (endings && !endings.some((ending) => name.toLowerCase().endsWith(ending))) return `${name} is none of these: ${this.getAttribute("formats")}. Use one of them.`;
    if (!endings && file.type && !file.type.startsWith("image/")) return `${name} is not a picture. Use a JPEG, PNG or WebP file.`;
    if (!file.size) return `${name} is empty. Use another file.`;
    if (file.size > limit * MB) return `${name} is ${(file.size / MB).toFixed(1)} MB; at most ${limit} MB can be sent. Use a smaller copy.`;
    return "";
  }

  #hold(files, { quietly = false } = {}) {
    this.#files = files;
    this.#fill();
    this.toggleAttribute("data-filled", files.length > 0);
    this.#show();
    if (quietly) return;
    this.#telling = true;
    this.#input.dispatchEvent(new Event("change", { bubbles: true }));
    this.#telling = false;
  }

  /** The native input holds the same files, so that any form can send them. */
  #fill() {
    const transfer = new DataTransfer();
    for (const file of this.#files) transfer.items.add(file);
    this.#input.files = transfer.files;
  }

  #show() {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = this.#files.map((file) => URL.createObjectURL(file));
    this.#shown.replaceChildren(...this.#files.map((file, i) => this.#figure(file, this.#urls[i])));
  }

  #figure(file, url) {
    const figure = Object.assign(document.createElement("figure"), { className: "drop-one" });
    const image = this.#preview(file, url);
    image.addEventListener("error", () => image.remove()); // the server may know the format (HEIC, TIFF)
    const caption = document.createElement("figcaption");
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "btn small", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => this.#remove(file));
    caption.append(Object.assign(document.createElement("span"), { textContent: file.name }), remove);
    figure.append(image, caption);
    return figure;
  }

  /** What shows a file, or plays it. */
  #preview(file, url) {
    const kind = file.type.split("/")[0];
    if (kind === "audio" || kind === "video") {
      const player = Object.assign(document.createElement(kind), { src: url, controls: true, loop: kind === "video", muted: kind === "video" });
      player.setAttribute("aria-label", file.name);
      return player;
    }
    if (this.#endings && kind !== "image") {
      const size = file.size / MB;
      return Object.assign(document.createElement("p"), { className: "drop-size", textContent: size < 0.1 ? `${Math.ceil(file.size / 1024)} kB` : `${size.toFixed(1)} MB` });
    }
    const image = Object.assign(document.createElement("img"), { src: url, alt: "" });
    if (!this.#endings) image.addEventListener("load", () => this.#judgePixels(file, image));
    return image;
  }

  #remove(file) {
    this.say("");
    this.#hold(this.#files.filter((other) => other !== file));
    this.#input.focus();
  }

  #judgePixels(file, image) {
    const limit = Number(this.getAttribute("max-megapixels")) || Infinity;
    const megapixels = (image.naturalWidth * image.naturalHeight) / 1e6;
    if (megapixels <= limit || !this.#files.includes(file)) return;
    this.#remove(file);
    this.say(`${file.name} has ${Math.round(megapixels)} megapixels; at most ${limit} can be sent. Use a smaller copy.`);
  }
}

customElements.define("drop-zone", DropZone);

// --- paste and stray drops, once for the page --------------------------------------------------------

document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  const zone = files.length && pasteTarget();
  if (!zone) return;
  event.preventDefault();
  zone.take(files);
});

/** The zone that has the focus, else the first empty one, else the first. */
function pasteTarget() {
  const zones = [...document.querySelectorAll("drop-zone")].filter((zone) => zone.checkVisibility());
  return zones.find((zone) => zone.contains(document.activeElement))
    ?? zones.find((zone) => !zone.files.length) ?? zones[0];
}

// A picture dropped beside its zone must not replace the page.
for (const type of ["dragover", "drop"]) {
  window.addEventListener(type, (event) => {
    if (event.dataTransfer?.types.includes("Files") && !event.target.closest?.(".drop")) event.preventDefault();
  });
}
