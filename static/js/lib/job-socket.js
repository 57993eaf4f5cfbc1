// A job's news from /ws/jobs/<id>/: its state as JSON, its pictures and curve points as frames.

const REFUSALS = {
  4400: "The server did not understand this page. Reload it.",
  4401: "You are signed out. Sign in and come back to this page.",
  4404: "This is no longer there, or it belongs to somebody else.",
};
const FIRST_DELAY = 250; // ms; doubled up to LAST_DELAY
const LAST_DELAY = 5000;

/**
 * One binary frame: uint32 big-endian length of the header, the header (UTF-8 JSON), the curve
 * (header.points × header.columns.length float32, little-endian), then a JPEG to the end.
 * @param {ArrayBuffer} buffer
 * @returns {{header: object, curve: Float32Array, blob: Blob}}
 */
export function parseFrame(buffer) {
  const view = new DataView(buffer);
  const headerEnd = 4 + view.getUint32(0);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerEnd - 4)));
  const curve = new Float32Array((header.points ?? 0) * (header.columns?.length ?? 0));
  for (let i = 0; i < curve.length; i++) curve[i] = view.getFloat32(headerEnd + 4 * i, true);
  const picture = buffer.slice(headerEnd + curve.byteLength);
  return { header, curve, blob: new Blob([picture], { type: "image/jpeg" }) };
}

/**
 * Follows one job and reconnects by itself; state and the newest frame come again on connect.
 *
 * Events: `state` (detail: the job), `frame` (detail: {header, curve, blob}; answer each with
 * `ack()` once it is painted), `link` (detail: "open" | "reconnecting" | "closed" | "refused";
 * after "refused", `refusal` says why in a sentence).
 */
export class JobSocket extends EventTarget {
  #id; #socket = null; #delay = FIRST_DELAY; #timer = 0; #ended = false;
  #owed = 0; // frames of this connection that are not acknowledged yet
  refusal = "";

  constructor(id) {
    super();
    this.#id = id;
    window.addEventListener("online", this.#retryNow);
    document.addEventListener("visibilitychange", this.#retryNow);
    this.#connect();
  }

  /** A frame has been painted (or was overtaken by a newer one): the server may send another. */
  ack() {
    if (!this.#owed || this.#socket.readyState !== WebSocket.OPEN) return; // of a lost connection
    this.#owed--;
    this.#socket.send('{"type":"ack"}');
  }

  close() {
    if (this.#ended) return;
    this.#end("closed");
    this.#socket?.close(1000);
  }

  #connect() {
    const url = new URL(`/ws/jobs/${this.#id}/`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#owed = 0;
    socket.addEventListener("open", () => this.#emit("link", "open"));
    socket.addEventListener("message", ({ data }) => {
      this.#delay = FIRST_DELAY; // the server speaks: a later loss is a new one
      if (typeof data !== "string") {
        this.#owed++;
        return this.#emit("frame", parseFrame(data));
      }
      const message = JSON.parse(data);
      if (message.type === "state") this.#emit("state", message.job);
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.#ended || socket !== this.#socket) return;
      if (code in REFUSALS) {
        this.refusal = REFUSALS[code];
        this.#end("refused");
      } else {
        this.#emit("link", "reconnecting");
        this.#timer = setTimeout(() => this.#connect(), this.#delay * (0.75 + Math.random() / 2));
        this.#delay = Math.min(2 * this.#delay, LAST_DELAY);
      }
    });
  }

  #retryNow = () => {
    if (this.#ended || document.hidden || this.#socket?.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #end(link) {
    this.#ended = true;
    clearTimeout(this.#timer);
    window.removeEventListener("online", this.#retryNow);
    document.removeEventListener("visibilitychange", this.#retryNow);
    this.#emit("link", link);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
