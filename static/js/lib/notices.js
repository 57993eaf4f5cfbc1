// Notices that lie over the page's foot, so that nothing moves when one comes.

/**
 * Show a notice. The same key replaces the one that is shown.
 * @param {string} text a sentence for a person
 * @param {{word?: string, tone?: "know"|"doubt"|"refuse", key?: string, seconds?: number}} options
 *   seconds 0: it stays until `dismiss(key)` or the person closes it
 */
export function notify(text, { word = "", tone = "doubt", key = text, seconds = 8 } = {}) {
  dismiss(key);
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.dataset.tone = tone;
  notice.dataset.key = key;
  if (word) notice.append(Object.assign(document.createElement("b"), { textContent: word }), " ");
  notice.append(Object.assign(document.createElement("span"), { textContent: text }));
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  close.setAttribute("aria-label", "Close this notice");
  close.addEventListener("click", () => notice.remove());
  notice.append(close);
  region().append(notice);
  if (seconds) setTimeout(() => notice.remove(), seconds * 1000);
}

/** Take the notice with this key away, if it is there. */
export function dismiss(key) {
  for (const notice of region().children) if (notice.dataset.key === key) notice.remove();
}

/** Say on the page when a job's socket loses its server, and when it is back. */
export function watchLink(socket) {
  const key = "link";
  let lost = false;
  socket.addEventListener("link", ({ detail }) => {
    if (detail === "reconnecting") {
      lost = true;
      notify("The connection is lost. Trying again; nothing that runs on the server stops.",
        { word: "Reconnecting", key, seconds: 0 });
    } else if (detail === "refused") {
      notify(socket.refusal, { word: "Closed", tone: "refuse", key, seconds: 0 });
    } else {
      dismiss(key);
      if (detail === "open" && lost) notify("The connection is back.", { word: "Connected", tone: "know", key, seconds: 3 });
      lost = false;
    }
  });
}

function region() {
  let element = document.getElementById("toasts");
  if (!element) {
    element = Object.assign(document.createElement("div"), { id: "toasts", className: "toasts" });
    element.setAttribute("role", "status");
    document.body.append(element);
  }
  return element;
}
