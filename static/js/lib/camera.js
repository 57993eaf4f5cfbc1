// The webcam: why there is none, and a photo from it, in a dialog with a preview as in a mirror.

const REFUSALS = {
  NotAllowedError: "The browser may not use the camera. Allow it beside the address bar, then try again",
  NotFoundError: "No camera was found. Connect one",
  NotReadableError: "Another program is using the camera. Close it and try again",
};
const INSECURE = "Browsers give the camera to secure pages only (https, or this machine itself)";
const INSTEAD = "choose a photo instead";

/**
 * Why there is no camera, and what to do now.
 * @param {Error} error what `openCamera` threw
 * @param {string} instead another way, where there is one
 */
export function cameraRefusal(error, instead = "") {
  const known = REFUSALS[error.name];
  if (known) return instead ? `${known}, or ${instead}.` : `${known}.`;
  const what = window.isSecureContext ? "The camera did not start." : `${INSECURE}.`;
  return instead ? `${what} ${instead[0].toUpperCase()}${instead.slice(1)}.` : what;
}

/** Whether this browser could ask for a camera at all. */
export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia) || !window.isSecureContext;

/**
 * Ask for a photo. Resolves to a JPEG file, or null if the dialog was closed without one.
 * @param {string} title what the photo is for
 * @returns {Promise<File | null>}
 */
export function takePhoto(title) {
  const dialog = build(title);
  const video = dialog.querySelector("video");
  const sentence = dialog.querySelector("p");
  const shutter = dialog.querySelector(".primary");
  let stream = null;
  let photo = null;
  document.body.append(dialog);
  dialog.showModal();

  openCamera({ width: { ideal: 1280 }, height: { ideal: 960 } }).then((opened) => {
    if (!dialog.open) return stopCamera(opened);
    stream = opened;
    video.srcObject = stream;
    return video.play();
  }).then(() => {
    sentence.textContent = "";
    shutter.disabled = false;
    if (dialog.open) shutter.focus();
  }).catch((error) => {
    sentence.textContent = cameraRefusal(error, INSTEAD);
    video.hidden = true;
  });

  shutter.addEventListener("click", async () => {
    shutter.disabled = true;
    photo = await grab(video);
    dialog.close();
  });
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    stopCamera(stream);
    dialog.remove();
    resolve(photo);
  }, { once: true }));
}

/** The camera that looks at the person; throws what `cameraRefusal` explains. */
export async function openCamera(size) {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "SecurityError");
  return navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "user", ...size } });
}

export function stopCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** The video's current picture, as the camera sees it. */
async function grab(video) {
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  return new File([blob], "camera.jpg", { type: "image/jpeg" });
}

function build(title) {
  const dialog = Object.assign(document.createElement("dialog"), { className: "camera" });
  dialog.innerHTML = `<form method="dialog"><h2></h2>
    <div class="camera-stage"><video playsinline muted></video><p role="status">Starting the camera …</p></div>
    <div class="dialog-foot"><button class="btn">Close</button><button class="btn primary" type="button" disabled>Take the photo</button></div></form>`;
  const heading = dialog.querySelector("h2");
  heading.textContent = title;
  heading.id = "camera-title";
  dialog.setAttribute("aria-labelledby", "camera-title");
  return dialog;
}
