// A session kept by the browser that made it, as a ZIP for the bench. The server keeps nothing.
import { zip } from "./zip-store.js";

const FORMAT = 1;

export class LiveRecording {
  #labels; #frames = []; #connections = 0; #steps = [];

  /** @param {{species: string, person: string, scene: string}} labels */
  constructor(labels) { this.#labels = labels; }

  /** A connection began. After a second one other movements are asked than the frames before show. */
  begun({ challenge }) {
    this.#connections++;
    this.#steps = challenge ?? this.#steps;
  }

  /** @param {number} taken ms */
  sent(taken, jpeg) { this.#frames.push({ taken: taken / 1000, jpeg: new Uint8Array(jpeg) }); }

  judged({ frame, arrived, judged, challenge }) {
    Object.assign(this.#frames[frame - 1] ?? {}, { arrived, judged });
    this.#steps = challenge ?? this.#steps;
  }

  /**
   * The ZIP and its name; null where the connection broke off meanwhile. Frames that the server did
   * not judge any more are left out.
   */
  pack({ outcome, challenge, ...last }) {
    if (this.#connections !== 1) return null;
    if (last.frame) this.judged(last);
    const frames = this.#frames.filter((frame) => frame.judged !== undefined);
    const named = frames.map((frame, i) => ({ ...frame, file: `${String(i + 1).padStart(4, "0")}.jpg` }));
    const about = {
      format: FORMAT, ...this.#labels, consent: true, steps: challenge ?? this.#steps, verdict: outcome,
      frames: named.map(({ file, taken, arrived, judged }) => ({ file, taken, arrived, judged })),
    };
    const time = new Date().toISOString().replace(/\.\d+Z$/, "").replace(/[:-]/g, "");
    const { species, person } = this.#labels;
    return {
      name: `liveness-${plain(species)}-${plain(person)}-${time}.zip`,
      frames: frames.length,
      blob: zip([
        { name: "recording.json", bytes: new TextEncoder().encode(JSON.stringify(about, null, 1)) },
        ...named.map(({ file, jpeg }) => ({ name: file, bytes: jpeg })),
      ]),
    };
  }
}

const plain = (text) => text.toLowerCase().replace(/[^a-z0-9_]+/g, "_").replace(/^_+|_+$/g, "") || "x";
