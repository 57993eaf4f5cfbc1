// Buttons that play a sound: <button data-play="URL" aria-pressed="false">. One sounds at a time.

let playing = null; // {button, audio}

function stop() {
  if (!playing) return;
  playing.audio.pause();
  playing.button.setAttribute("aria-pressed", "false");
  playing = null;
}

async function start(button) {
  const audio = new Audio(button.dataset.play);
  playing = { button, audio };
  button.setAttribute("aria-pressed", "true");
  audio.addEventListener("ended", () => { if (playing?.audio === audio) stop(); });
  try {
    await audio.play();
  } catch {
    if (playing?.audio === audio) stop(); // it cannot be had, or another took its place
  }
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-play]");
  if (!button) return;
  const again = playing?.button === button;
  stop();
  if (!again) start(button);
});
