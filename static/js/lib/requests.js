// What htmx cannot swap becomes a sentence: a server that is gone, an error page, a 5xx.
import { notify } from "./notices.js";

const WHOLE_PAGE = /^\s*<!doctype/i;

export function start() {
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!WHOLE_PAGE.test(detail.xhr.responseText)) return;
    detail.shouldSwap = false; // a page inside a form would help nobody
    if (detail.xhr.status < 400) return location.assign(detail.xhr.responseURL); // sign in again
    const page = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
    const sentence = page.querySelector("[data-error-sentence]")?.textContent.trim().replace(/\s+/g, " ");
    notify(sentence || `The server answered ${detail.xhr.status}. Reload the page and try again.`,
      { word: "Error", tone: "refuse", seconds: 0, key: "request" });
  });
  for (const lost of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(lost, () => notify(
      "The server cannot be reached. Nothing you entered is lost; try again in a moment.",
      { word: "No connection", key: "request" }));
  }
}
