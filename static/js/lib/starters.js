// A starter is sent by its name; choosing a file of one's own takes its place, and the reverse.

/** Tie every drop zone of the page to the starters that are named after it. */
export function tieStarters() {
  for (const zone of document.querySelectorAll("drop-zone")) {
    const starters = [...document.querySelectorAll(`input[name="${zone.input.name}_starter"]`)];
    zone.addEventListener("change", () => {
      if (zone.files.length) for (const starter of starters) starter.checked = false;
    });
    for (const starter of starters) starter.addEventListener("change", () => zone.clear());
  }
}
