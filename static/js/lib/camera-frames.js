// Small JPEGs of a camera's video at a steady pace, each with the time at which it was taken.

const QUALITY = 0.8;
const POOREST = 0.4; // below this a frame that is too large is not sent at all
const EARLY = 8; // ms: half a picture of a 60 Hz camera

export class CameraFrames {
  #video; #wanted; #canvas; #interval; #last = -Infinity; #taken = -Infinity; #busy = false; #running = false; #handle = 0;

  /**
   * @param {HTMLVideoElement} video which plays
   * @param {{width: number, height: number, fps: number, max_bytes: number}} wanted pixels; at most so many a second
   */
  constructor(video, wanted) {
    this.#video = video;
    this.#wanted = wanted;
    this.#interval = 1000 / wanted.fps;
    this.#canvas = Object.assign(document.createElement("canvas"), { width: wanted.width, height: wanted.height });
  }

  /**
   * @param {() => boolean} ready whether a frame is wanted now; one that is not is never taken
   * @param {(taken: number, jpeg: ArrayBuffer) => void} give taken: ms by this browser's clock, rising
   */
  start(ready, give) {
    this.#running = true;
    const look = async (now, facts) => {
      if (!this.#running) return;
      this.#next(look);
      if (this.#busy || now - this.#last < this.#interval - EARLY || !ready()) return;
      this.#last = now;
      const taken = facts?.captureTime ?? now;
      if (taken <= this.#taken) return;
      this.#busy = true;
      const jpeg = await this.#jpeg();
      this.#busy = false;
      if (!jpeg || !this.#running || !ready()) return;
      this.#taken = taken;
      give(taken, jpeg);
    };
    this.#next(look);
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#handle);
  }

  #next(look) {
    if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(look);
    else this.#handle = setTimeout(() => look(performance.now()), this.#interval);
  }

  /** The middle of the picture in the wanted shape, as the camera sees it: not mirrored. */
  async #jpeg() {
    const { videoWidth, videoHeight } = this.#video;
    const { width, height, max_bytes: most } = this.#wanted;
    const scale = Math.min(videoWidth / width, videoHeight / height);
    const [w, h] = [width * scale, height * scale];
    this.#canvas.getContext("2d").drawImage(this.#video, (videoWidth - w) / 2, (videoHeight - h) / 2, w, h, 0, 0, width, height);
    for (let quality = QUALITY; quality >= POOREST; quality -= 0.2) {
      const blob = await new Promise((done) => this.#canvas.toBlob(done, "image/jpeg", quality));
      if (blob && blob.size <= most) return blob.arrayBuffer();
    }
    return null;
  }
}
