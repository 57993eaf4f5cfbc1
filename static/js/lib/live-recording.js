// A session kept by the browser that made it, as a ZIP for the bench. The server keeps nothing.
import { zip } from "./zip-store.js";

const FORMAT = 1;

export class LiveRecording {
  #labels; #steps; #frames = [];

  /**
   * @param {{species: string, person: string, scene: string}} labels
   * @param {{movement: string, hold: number}[]} steps what the session asks
   */
  constructor(labels, steps) {
    this.#labels = labels;
    this.#steps = steps;
  }

  /** @param {number} taken ms */
  sent(taken, jpeg) { this.#frames.push({ taken: taken / 1000, jpeg: new Uint8Array(jpeg) }); }

  /** @param {{frame: number, arrived: number, judged: number}} told the server's times, seconds */
  judged({ frame, arrived, judged }) { Object.assign(this.#frames[frame - 1] ?? {}, { arrived, judged }); }

  /** The ZIP and its name. Frames that the server did not judge any more are left out. */
  pack({ outcome }) {
    const frames = this.#frames.filter((frame) => frame.judged !== undefined)
      .map((frame, i) => ({ ...frame, file: `${String(i + 1).padStart(4, "0")}.jpg` }));
    const about = {
      format: FORMAT, ...this.#labels, consent: true, steps: this.#steps, verdict: outcome,
      frames: frames.map(({ file, taken, arrived, judged }) => ({ file, taken, arrived, judged })),
    };
    const time = new Date().toISOString().replace(/\.\d+Z$/, "").replace(/[:-]/g, "");
    const { species, person } = this.#labels;
    return {
      name: `liveness-${plain(species)}-${plain(person)}-${time}.zip`,
      frames: frames.length,
      blob: zip([
        { name: "recording.json", bytes: new TextEncoder().encode(JSON.stringify(about, null, 1)) },
        ...frames.map(({ file, jpeg }) => ({ name: file, bytes: jpeg })),
      ]),
    };
  }
}

const plain = (text) => text.toLowerCase().replace(/[^a-z0-9_]+/g, "_").replace(/^_+|_+$/g, "") || "x";
