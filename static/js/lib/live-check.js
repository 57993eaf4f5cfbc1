// <live-check purpose url token>: a button, and the panel in which a person shows that they are there
// (templates/components/live_check.html). Fires, bubbling:
//   opening   before the panel opens; can be cancelled
//   decided   (detail: {outcome, recording}); recording: of a session for the bench {blob, name, frames}
//   passed    (detail: {id}) once the panel has closed
import { openCamera, cameraRefusal, stopCamera } from "./camera.js";
import { CameraFrames } from "./camera-frames.js";
import { LiveRecording } from "./live-recording.js";
import { LiveSession, Refused } from "./live-session.js";
import { LiveView } from "./live-view.js";

const LINGER = 900; // ms that "passed" is shown before the panel closes by itself
const OUTCOMES = new Set(["passed", "failed", "inconclusive"]);

export class LiveCheck extends HTMLElement {
  #dialog; #view; #start;
  #stream = null; #frames = null; #session = null; #recording = null;
  #passed = null; // the id of a session that was passed, until the panel has closed
  #run = 0; // which try this is: what an earlier one still says is not listened to

  connectedCallback() {
    if (this.#dialog) return;
    this.#dialog = this.querySelector("dialog");
    this.#start = this.querySelector("[data-start]");
    this.#view = new LiveView(this.#dialog);
    this.#start.disabled = false;
    this.#start.addEventListener("click", () => this.open());
    this.#dialog.querySelector("[data-cancel]").addEventListener("click", () => this.#dialog.close());
    this.#dialog.querySelector("[data-again]").addEventListener("click", () => this.#begin());
    this.#dialog.addEventListener("close", () => this.#closed());
    document.addEventListener("visibilitychange", this.#watched);
  }

  disconnectedCallback() {
    this.#leave();
    document.removeEventListener("visibilitychange", this.#watched);
  }

  get purpose() { return this.getAttribute("purpose"); }

  /** Labels of a recording (species, person, scene), where this is one. */
  labels = null;

  open() {
    if (!this.#tell("opening")) return;
    this.#dialog.showModal();
    this.#begin();
  }

  close() { this.#dialog.close(); }

  async #begin() {
    this.#leave();
    const run = ++this.#run;
    this.#view.state("camera");
    try {
      const stream = await openCamera({ width: { ideal: 640 }, height: { ideal: 480 } });
      if (run !== this.#run) return stopCamera(stream);
      this.#stream = stream;
      stream.getVideoTracks()[0].addEventListener("ended", () => this.#finish(run, "stopped"));
      await this.#view.watch(stream);
    } catch (error) {
      if (run === this.#run) this.#finish(run, "no-camera", cameraRefusal(error));
      return;
    }
    if (run !== this.#run) return;
    this.#view.state("opening");
    try {
      const session = await LiveSession.open(this.getAttribute("url"), this.purpose, this.getAttribute("token"));
      if (run !== this.#run) return session.cancel();
      this.#follow(run, session);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#finish(run, "refused", error.message);
    }
  }

  #follow(run, session) {
    this.#session = session;
    this.#frames = new CameraFrames(this.#view.video, session.wanted);
    this.#recording = this.purpose === "recording" ? new LiveRecording(this.labels, session.wanted.challenge) : null;
    const on = (type, act) => session.addEventListener(type, ({ detail }) => { if (run === this.#run) act(detail); });
    on("session", (told) => this.#view.begin(told));
    on("progress", (told) => {
      this.#recording?.judged(told);
      this.#view.progress(told);
    });
    on("link", (link) => { if (link === "reconnecting") this.#view.state(document.hidden ? "paused" : "lost"); });
    on("refused", ({ code, sentence }) => this.#finish(run, code ? "refused" : "over", sentence));
    on("verdict", (told) => this.#decided(run, told));
    this.#frames.start(() => session.ready, (taken, jpeg) => {
      session.send(taken, jpeg);
      this.#recording?.sent(taken, jpeg);
    });
    if (document.hidden) session.pause();
  }

  #decided(run, verdict) {
    const outcome = OUTCOMES.has(verdict.outcome) ? verdict.outcome : "inconclusive";
    const recording = this.#recording?.pack(verdict);
    const { id } = this.#session;
    this.#finish(run, outcome, verdict.advice, verdict.title);
    this.#tell("decided", { outcome, recording });
    if (outcome !== "passed") return;
    this.#passed = id;
    if (!this.hasAttribute("stays")) setTimeout(() => { if (run === this.#run) this.close(); }, LINGER);
  }

  #closed() {
    const id = this.#passed;
    this.#leave();
    if (id) this.#tell("passed", { id });
  }

  #tell(type, detail) {
    return this.dispatchEvent(new CustomEvent(type, { bubbles: true, cancelable: type === "opening", detail }));
  }

  /** Nothing runs any more; the panel says how it ended. */
  #finish(run, state, advice, title) {
    if (run !== this.#run) return;
    this.#release();
    this.#view.end(state, advice, title);
  }

  #leave() {
    this.#run++;
    this.#passed = null;
    this.#release();
    this.#view.clear();
  }

  #release() {
    this.#session?.cancel();
    this.#frames?.stop();
    stopCamera(this.#stream);
    this.#session = this.#frames = this.#recording = this.#stream = null;
  }

  #watched = () => {
    if (document.hidden) this.#session?.pause();
    else this.#session?.resume();
  };
}

customElements.define("live-check", LiveCheck);
