// <live-picture width height label waiting>: a picture that changes while one watches.
// Frames cross-fade on a canvas whose place is kept from the start; a frame that was overtaken
// while it waited to be decoded is never shown.

const FADE = 180; // ms
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class LivePicture extends HTMLElement {
  static observedAttributes = ["width", "height", "label", "waiting"];
  #canvas = document.createElement("canvas");
  #next = null; // the newest frame that waits: {blob, done}
  #decoding = false;
  #raf = 0;
  #finish = null; // ends the running cross-fade

  connectedCallback() {
    this.#canvas.setAttribute("role", "img");
    if (!this.#canvas.isConnected) this.append(this.#canvas);
    this.#describe();
  }

  attributeChangedCallback() { this.#describe(); }

  /**
   * Show a picture. Resolves once it is on the canvas: true; or false if a newer one came before
   * it, or if it could not be decoded.
   * @param {Blob} blob
   */
  show(blob) {
    return new Promise((done) => {
      this.#next?.done(false);
      this.#next = { blob, done };
      if (!this.#decoding) this.#drain();
    });
  }

  /** Show the picture at a URL (the finished result, say). */
  async showUrl(url) {
    const response = await fetch(url, { credentials: "same-origin" });
    return response.ok ? this.show(await response.blob()) : false;
  }

  /** Show every frame of a JobSocket and acknowledge each, shown or overtaken. */
  follow(socket) {
    socket.addEventListener("frame", async ({ detail: { header, blob } }) => {
      if (header.width && !this.hasAttribute("width")) this.size(header.width, header.height);
      await this.show(blob);
      socket.ack();
    });
  }

  /** Keep the place of a picture of this size, pixels. */
  size(width, height) {
    this.setAttribute("width", width);
    this.setAttribute("height", height);
  }

  async #drain() {
    this.#decoding = true;
    while (this.#next) {
      const { blob, done } = this.#next;
      this.#next = null;
      const bitmap = await createImageBitmap(blob).catch(() => null);
      if (bitmap) await this.#paint(bitmap);
      done(Boolean(bitmap));
    }
    this.#decoding = false;
  }

  #describe() {
    const [width, height] = [this.getAttribute("width"), this.getAttribute("height")];
    if (width && height) this.style.setProperty("--ratio", `${width} / ${height}`);
    this.#canvas.setAttribute("aria-label", this.getAttribute("label") ?? "The picture as it changes");
    this.dataset.waiting = this.getAttribute("waiting") ?? "";
  }

  /** Resolves at the first paint; the cross-fade goes on by itself until the next frame. */
  #paint(bitmap) {
    this.#finish?.();
    const first = this.dataset.painted === undefined;
    this.#grow(bitmap, first);
    const context = this.#canvas.getContext("2d");
    const draw = (alpha) => {
      context.globalAlpha = alpha;
      context.drawImage(bitmap, 0, 0, this.#canvas.width, this.#canvas.height);
    };
    this.dataset.painted = "";
    if (first || still.matches || document.hidden) {
      draw(1);
      bitmap.close();
      return Promise.resolve();
    }
    return new Promise((painted) => {
      let started = null;
      let mixed = 0; // share of the new picture that is on the canvas already
      this.#finish = () => {
        cancelAnimationFrame(this.#raf);
        clearTimeout(watchdog);
        draw(1);
        bitmap.close();
        this.#finish = null;
        painted();
      };
      // A tab that goes to the background gets no animation frames: the picture still arrives.
      const watchdog = setTimeout(() => this.#finish?.(), 2 * FADE);
      const step = (now) => {
        started ??= now - 16;
        const share = (now - started) / FADE;
        if (share >= 1) return this.#finish();
        draw((share - mixed) / (1 - mixed)); // over what is there, this makes it `share` new
        mixed = share;
        painted();
        this.#raf = requestAnimationFrame(step);
      };
      this.#raf = requestAnimationFrame(step);
    });
  }

  /** Take the first picture's size; later grow to a finer one without losing what is shown. */
  #grow({ width, height }, first) {
    const canvas = this.#canvas;
    if (!first && width <= canvas.width) return;
    const old = first ? null : Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    old?.getContext("2d").drawImage(canvas, 0, 0);
    Object.assign(canvas, { width, height });
    if (old) canvas.getContext("2d").drawImage(old, 0, 0, width, height);
    if (!this.hasAttribute("width")) this.size(width, height);
  }
}

customElements.define("live-picture", LivePicture);
