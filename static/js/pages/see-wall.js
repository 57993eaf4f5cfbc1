// The wall: the arrow keys go from tile to tile as the eye does.
const wall = document.getElementById("wall");

/** How many tiles hang in a row. */
function columns(tiles) {
  const { offsetTop } = tiles[0].parentElement;
  const next = tiles.findIndex((tile) => tile.parentElement.offsetTop !== offsetTop);
  return next < 0 ? tiles.length : next;
}

wall?.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const tiles = [...wall.querySelectorAll(".tile")];
  const at = tiles.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns(tiles), ArrowUp: at - columns(tiles), Home: 0, End: tiles.length - 1 }[event.key];
  if (at < 0 || to === undefined || !tiles[to]) return;
  event.preventDefault();
  tiles[to].focus();
});
