// Buttons that play a sound: <button data-play="URL" aria-pressed="false"> … <span class="word">.
// One sounds at a time.

let playing = null; // {button, audio}

function stop() {
  if (!playing) return;
  playing.audio.pause();
  say(playing.button, false);
  playing = null;
}

function say(button, sounds) {
  button.setAttribute("aria-pressed", String(sounds));
  button.querySelector(".word").textContent = sounds ? "Stop" : "Listen";
}

async function start(button) {
  const audio = new Audio(button.dataset.play);
  playing = { button, audio };
  say(button, true);
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
