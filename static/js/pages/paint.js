// The paint page: the slider's meaning, and a starter that takes its place in the drop zone.
import "../lib/drop-zone.js";

const meanings = JSON.parse(document.getElementById("meanings").textContent);
const slider = document.getElementById("id_style_weight");
const meaning = document.getElementById("style_weight-meaning");

function showMeaning() {
  const { words } = meanings.find(({ below }) => Number(slider.value) < below);
  meaning.textContent = words;
  slider.setAttribute("aria-valuetext", words);
}
slider.addEventListener("input", showMeaning);
showMeaning();

// A starter is sent by its name; choosing a picture of one's own takes its place, and the reverse.
for (const zone of document.querySelectorAll("drop-zone")) {
  const starters = [...document.querySelectorAll(`input[name="${zone.input.name}_starter"]`)];
  zone.addEventListener("change", () => {
    if (zone.files.length) for (const starter of starters) starter.checked = false;
  });
  for (const starter of starters) starter.addEventListener("change", () => zone.clear());
}
