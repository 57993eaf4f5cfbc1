// <archive-upload url max-mb>: a file input whose ZIP travels at once, with its progress, while the
// rest of the form is filled in. The form then sends the receipt that came back, in a field of the
// input's name, and the file's name in NAME_name. Without this script the input sends the file with the form.
//
// Fires a bubbling `change` when the archive has arrived or was taken away. A form that is sent too
// early waits for the archive and then goes.

const MB = 1024 * 1024;
const PARCEL = `<svg viewBox="0 0 36 36" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true"><path d="M4 11h28v21H4zM4 11l4-7h20l4 7M18 4v7"/><path d="M14 18h8" stroke-linecap="round"/></svg>`;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function sizeOf(bytes) {
  return bytes < MB ? `${Math.max(1, Math.round(bytes / 1024))} kB` : `${(bytes / MB).toFixed(bytes < 10 * MB ? 1 : 0)} MB`;
}

export function timeOf(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export class ArchiveUpload extends HTMLElement {
  #input = null; #receipt = null; #name = null; #drop = null; #shown = null; #meter = null; #says = null;
  #request = null; #file = null; #early = null; // {submitter}, where the form was sent too early

  connectedCallback() {
    if (this.#input) return;
    this.#input = this.querySelector("input[type=file]");
    this.#receipt = element("input", { type: "hidden", name: this.#input.name });
    this.#name = element("input", { type: "hidden", name: `${this.#input.name}_name` });
    this.#input.removeAttribute("name"); // the file itself has gone ahead
    this.#build();
    this.#input.addEventListener("change", (event) => {
      event.stopPropagation(); // our own follows when it has arrived
      if (this.#input.files.length) this.take(this.#input.files[0]);
    });
    const form = this.#input.form;
    form?.addEventListener("submit", (event) => this.#hold(event), { capture: true });
    form?.addEventListener("reset", () => this.clear());
    for (const [type, inside] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
      this.#drop.addEventListener(type, (event) => {
        event.preventDefault();
        this.#drop.classList.toggle("over", inside);
        if (type === "drop" && event.dataTransfer.files.length) this.take(event.dataTransfer.files[0]);
      });
    }
    if (this.#input.files.length) this.take(this.#input.files[0]); // chosen before this script came
  }

  disconnectedCallback() { this.#request?.abort(); }

  /** What the form will send; empty until the archive has arrived. */
  get receipt() { return this.#receipt.value; }

  /** Send a file as if it had been chosen; refuses with a sentence what cannot be taken. */
  take(file) {
    this.clear();
    const limit = Number(this.getAttribute("max-mb")) || Infinity;
    if (!/\.zip$/i.test(file.name)) return this.say(`${file.name} is not a ZIP. Pack the pictures as a ZIP file.`);
    if (!file.size) return this.say(`${file.name} is empty. Use another file.`);
    if (file.size > limit * MB) return this.say(`${file.name} has ${sizeOf(file.size)}; at most ${limit} MB can be sent. Send it in several parts.`);
    this.#file = file;
    this.#send();
  }

  clear() {
    this.#request?.abort();
    this.#request = this.#file = this.#early = null;
    const had = this.#receipt.value;
    this.#receipt.value = this.#name.value = this.#input.value = "";
    this.#shown.hidden = true;
    this.toggleAttribute("data-filled", false);
    this.say("");
    if (had) this.#tell();
  }

  /** Show a sentence about the archive, or take it back with "". */
  say(sentence) {
    document.getElementById(`${this.#receipt.name}-error`).textContent = sentence;
    this.toggleAttribute("data-invalid", Boolean(sentence));
    this.#input.setAttribute("aria-invalid", String(Boolean(sentence)));
  }

  #build() {
    const limit = this.getAttribute("max-mb");
    const empty = element("div", { className: "drop-empty", innerHTML: PARCEL },
      element("b", { textContent: "Drop a ZIP here" }),
      element("span", { textContent: `or choose one · up to ${Number(limit).toLocaleString("en")} MB` }));
    empty.setAttribute("aria-hidden", "true"); // the input itself is announced
    this.#meter = element("div", { className: "meter" }, element("i"));
    this.#meter.setAttribute("role", "progressbar");
    this.#meter.setAttribute("aria-label", "The archive on its way");
    this.#meter.setAttribute("aria-valuemax", "100");
    this.#says = element("p", { className: "num" });
    this.#says.setAttribute("aria-live", "polite");
    this.#shown = element("div", { className: "drop-archive", hidden: true });
    this.#drop = element("div", { className: "drop" }, this.#input, empty, this.#shown);
    this.append(this.#drop, this.#receipt, this.#name);
  }

  #send() {
    const file = this.#file;
    const request = this.#request = new XMLHttpRequest();
    const began = performance.now();
    this.#show("travelling", `0 of ${sizeOf(file.size)}`, "Cancel", () => this.clear());
    request.upload.addEventListener("progress", ({ loaded }) => {
      const left = ((file.size - loaded) * (performance.now() - began)) / 1000 / Math.max(1, loaded);
      this.#progress(loaded / file.size);
      const then = this.#early ? "; then the form goes" : "";
      this.#says.textContent = `${sizeOf(loaded)} of ${sizeOf(file.size)} · ${timeOf(left)} left${then}`;
    });
    request.addEventListener("load", () => this.#answered(request));
    request.addEventListener("error", () => this.#failed("The connection broke off."));
    request.open("POST", this.getAttribute("url"));
    request.setRequestHeader("Content-Type", "application/zip");
    request.setRequestHeader("X-CSRFToken", this.#input.form?.elements.csrfmiddlewaretoken?.value ?? "");
    request.responseType = "text";
    request.send(file);
  }

  #answered(request) {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { /* a page, as for a stale form */ }
    if (request.status !== 201 || !answer.archive) {
      return this.#failed(answer.message ? `${answer.message} ${answer.hint}` : "The server did not take it. Reload the page and try again.");
    }
    this.#receipt.value = answer.archive;
    this.#name.value = this.#file.name;
    this.#progress(1);
    this.#show("arrived", `${sizeOf(this.#file.size)}, arrived`, "Remove", () => { this.clear(); this.#input.focus(); });
    this.#tell();
    const early = this.#early;
    this.#early = null;
    if (early) this.#input.form.requestSubmit(early.submitter);
  }

  #failed(sentence) {
    this.#early = null;
    this.say(sentence);
    this.#show("failed", "It did not arrive", "Try again", () => { this.say(""); this.#send(); });
  }

  #show(state, text, action, act) {
    const button = element("button", { type: "button", className: "btn small", textContent: action });
    button.addEventListener("click", act);
    this.#shown.replaceChildren(
      element("b", { textContent: this.#file.name }), this.#meter,
      element("div", { className: "row" }, this.#says, button));
    this.#shown.dataset.tone = { travelling: "paint", arrived: "know", failed: "refuse" }[state];
    this.#shown.hidden = false;
    this.#says.textContent = text;
    if (state === "travelling") this.#progress(0);
    this.toggleAttribute("data-filled", true);
  }

  #progress(share) {
    this.#meter.style.setProperty("--done", String(share));
    this.#meter.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  }

  /** The form is sent while the archive travels: it goes by itself as soon as that has arrived. */
  #hold(event) {
    if (!this.#file || this.#receipt.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#early = { submitter: event.submitter };
  }

  #tell() { this.dispatchEvent(new Event("change", { bubbles: true })); }
}

customElements.define("archive-upload", ArchiveUpload);
