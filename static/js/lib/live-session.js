// A liveness session as the browser sees it: opened by POST, then frames up and progress down a
// websocket. A lost connection is taken up again for as long as the server waits for it.

const REFUSALS = {
  4400: "The server did not understand this page. Reload it.",
  4401: "You are signed out. Sign in and come back to this page.",
  4403: "This check was opened by another page. Start a new one.",
  4404: "This check is no longer there. Start a new one.",
  4409: "This check already runs in another window. Finish it there, or start a new one here.",
  4410: "This check is over. Start a new one.",
  4413: "The camera's pictures are too large to send. Try another camera.",
  4429: "The camera's pictures came too fast. Start again.",
};
const IN_USE = 4409; // right after a loss it is our own lost connection that still holds the session
const AWAY = 10_000; // ms; then the server gives a lost session up
const RETRY = 400; // ms between two attempts
const STALL = 8_000; // ms without a word though frames are on their way: the connection is dead

/** The server does not open a session: `message` says why and what to do, `code` is for programs. */
export class Refused extends Error {
  constructor(message, code = "") {
    super(message);
    this.code = code;
  }
}

/**
 * Events: `session`, `progress` and `verdict` (detail: the server's message), `link` (detail:
 * "open" | "reconnecting") and, once, without a verdict, `refused` (detail: {code, sentence}).
 */
export class LiveSession extends EventTarget {
  #granted; #socket = null; #credits; #begun = false; #sent = 0; #judged = 0;
  #everBegun = false; #ended = false; #paused = false;
  #timers = { retry: 0, deadline: 0, stall: 0 };

  /**
   * Ask the server for a session.
   * @throws {Refused}
   */
  static async open(url, purpose, token) {
    const body = new URLSearchParams({ purpose });
    const request = { method: "POST", body, headers: { "X-CSRFToken": token }, credentials: "same-origin" };
    const response = await fetch(url, request).catch(() => null);
    if (!response) throw new Refused("The server cannot be reached. Try again in a moment.");
    const told = await response.json().catch(() => ({})); // a page, as for a stale form
    if (response.status === 201) return new LiveSession(told);
    if (!told.message) throw new Refused("The server did not open a live check. Reload the page and try again.");
    throw new Refused(`${told.message} ${told.hint}`.trim(), told.code);
  }

  constructor(granted) {
    super();
    this.#granted = granted;
    this.#credits = granted.credits;
    window.addEventListener("offline", this.#drop);
    this.#connect();
  }

  get id() { return this.#granted.id; }

  /** What the server wants: width, height, fps, max_bytes. */
  get wanted() { return this.#granted; }

  /** Whether a frame may be sent now. */
  get ready() { return this.#begun && this.#sent - this.#judged < this.#credits; }

  /**
   * Send one frame.
   * @param {number} taken ms by the browser's clock
   * @param {ArrayBuffer} jpeg
   * @returns {number} which frame of this connection it is, from 1
   */
  send(taken, jpeg) {
    const message = new Uint8Array(8 + jpeg.byteLength);
    new DataView(message.buffer).setFloat64(0, taken);
    message.set(new Uint8Array(jpeg), 8);
    this.#socket.send(message);
    if (!this.#timers.stall) this.#after("stall", STALL, this.#drop);
    return ++this.#sent;
  }

  /** Nobody watches: let the connection go, and take it up again at `resume`. */
  pause() {
    this.#paused = true;
    this.#drop();
  }

  resume() {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#ended && !this.#socket) this.#connect();
  }

  /** The person gave up. */
  cancel() {
    if (this.#ended) return;
    this.#end();
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send('{"type": "cancel"}');
    this.#socket?.close(1000);
  }

  #connect() {
    this.#clear("retry");
    const url = new URL(this.#granted.socket, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "begin", nonce: this.#granted.nonce })));
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket && !this.#ended) this.#told(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.#socket && !this.#ended) this.#lost(code);
    });
  }

  #told(message) {
    this.#clear("stall");
    if (message.type === "session") {
      this.#begun = this.#everBegun = true;
      this.#sent = this.#judged = 0;
      this.#credits = message.credits ?? this.#credits;
      this.#clear("deadline");
      this.#emit("link", "open");
    } else if (message.type === "progress") {
      this.#judged = message.frame;
      if (this.#sent > this.#judged) this.#after("stall", STALL, this.#drop);
    } else if (message.type === "verdict") {
      this.#end();
    }
    this.#emit(message.type, message);
  }

  #lost(code) {
    this.#socket = null;
    this.#begun = false;
    this.#clear("stall");
    const ours = code === IN_USE && this.#everBegun;
    if (code in REFUSALS && !ours) return this.#refuse(code, REFUSALS[code]);
    if (!this.#timers.deadline) {
      this.#after("deadline", AWAY, () => this.#refuse(0, "The connection was away for too long."));
      this.#emit("link", "reconnecting");
    }
    this.#after("retry", RETRY, () => { if (!this.#paused) this.#connect(); });
  }

  /** As if the connection had been lost now. */
  #drop = () => {
    if (this.#ended || !this.#socket) return;
    const socket = this.#socket;
    this.#lost(1006);
    socket.close();
  };

  #refuse(code, sentence) {
    this.#end();
    this.#socket?.close();
    this.#emit("refused", { code, sentence });
  }

  #end() {
    this.#ended = true;
    this.#begun = false;
    for (const timer of Object.keys(this.#timers)) this.#clear(timer);
    window.removeEventListener("offline", this.#drop);
  }

  #after(timer, ms, act) {
    this.#clear(timer);
    this.#timers[timer] = setTimeout(() => { this.#timers[timer] = 0; act(); }, ms);
  }

  #clear(timer) {
    clearTimeout(this.#timers[timer]);
    this.#timers[timer] = 0;
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
