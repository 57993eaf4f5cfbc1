// The focus goes to what needs a look: an error summary on load and after a swap, and from each
// of its links to the control that it names.

/** Focus the first `[data-autofocus]` within `root`; true if there was one. */
export function focusSummary(root = document) {
  const summary = root.matches?.("[data-autofocus]") ? root : root.querySelector("[data-autofocus]");
  summary?.focus();
  return Boolean(summary);
}

function control(id) {
  const target = document.getElementById(id)
    ?? document.querySelector(`[name="${CSS.escape(id.replace(/^id_/, ""))}"]`);
  const inner = "input:not([type=hidden]), select, textarea, button";
  return target?.matches(inner) ? target : target?.querySelector(inner) ?? target;
}

export function start() {
  focusSummary();
  document.addEventListener("htmx:afterSettle", ({ detail }) => focusSummary(detail.elt));
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".error-summary a[href^='#']");
    const target = link && control(decodeURIComponent(link.hash.slice(1)));
    if (!target) return;
    event.preventDefault();
    target.focus();
    target.scrollIntoView({ block: "center" });
  });
}
