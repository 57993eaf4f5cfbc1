// Ask a worker something that takes milliseconds: send a form, then wait where the answer will be.

const PATIENCE = 60_000; // ms; the server forgets what was asked after as long

/** A refusal in a sentence that may be shown. */
export class Refusal extends Error {}

/** The token by which the server knows that this page asks. */
export const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

/**
 * POST `body` to `url`, which answers {url}; resolves to what stands there once a worker has looked.
 * @param {string} url
 * @param {FormData} body
 * @param {{what?: string, signal?: AbortSignal}} options what: what was sent, for a sentence
 * @throws {Refusal}
 */
export async function askWorker(url, body, { what = "photo", signal } = {}) {
  const until = Date.now() + PATIENCE;
  let response = await ask(url, { method: "POST", body, headers: { "X-CSRFToken": token() }, signal });
  const { url: answer } = await read(response, what);
  for (let wait = 60; Date.now() < until; wait = Math.min(wait * 1.3, 600)) {
    await new Promise((done) => setTimeout(done, wait));
    response = await ask(answer, { signal });
    const told = await read(response, what);
    if (response.status === 200) return told;
  }
  throw new Refusal(`No worker has looked at the ${what}. An administrator sees why on the status page.`);
}

async function ask(url, options = {}) {
  const response = await fetch(url, { credentials: "same-origin", ...options }).catch((error) => {
    if (error.name === "AbortError") throw error;
    return null;
  });
  if (!response) throw new Refusal("The server cannot be reached. Try again in a moment.");
  return response;
}

async function read(response, what) {
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new Refusal(answer ? [answer.message, answer.hint].filter(Boolean).join(" ") : `The server could not look at this ${what}. Reload the page and try again.`);
}
