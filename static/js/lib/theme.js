// Light and dark follow the system; the header's toggle overrides it until both agree again.
// A classic script in <head>, so that a stored choice holds before the first paint.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const key = "likeness-theme";
  const paper = { light: "#f6f3ec", dark: "#131211" }; // --paper, for the browser's own bar

  function stored() {
    try { return localStorage.getItem(key); } catch { return null; }
  }

  function apply(choice) {
    if (choice) root.dataset.theme = choice;
    else delete root.dataset.theme;
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
      meta.dataset.own ??= meta.content;
      meta.content = paper[choice] ?? meta.dataset.own;
    }
  }

  function toggle() {
    const shown = root.dataset.theme ?? (system.matches ? "dark" : "light");
    const wanted = shown === "dark" ? "light" : "dark";
    const choice = (wanted === "dark") === system.matches ? null : wanted;
    try {
      if (choice) localStorage.setItem(key, choice);
      else localStorage.removeItem(key);
    } catch { /* private mode: the choice lasts as long as the page */ }
    apply(choice);
  }

  const choice = stored();
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;
  document.addEventListener("DOMContentLoaded", () => {
    apply(root.dataset.theme);
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.addEventListener("click", toggle);
    }
  });
})();
