// What the page about triplets draws: the line with both distances, the loss against the margin, and
// the rows of 128 bars. Encodings come as [A, P, N], null where there is none.
import { hinge } from "./triplet-loss.js";

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

/** A number as it is shown, with a real minus. */
export const fixed = (value, digits = 3) => value.toFixed(digits).replace("-", "−");

/** Both distances from the anchor on one line, the margin after P, and what N falls short by. */
export function line(dP, dN, alpha, loss) {
  const max = Math.max(dP + alpha, dN, 0.2) * 1.12;
  const at = byId("line");
  for (const [name, value] of Object.entries({ p: dP, n: dN, m: dP + alpha, max, loss })) at.style.setProperty(`--${name}`, value.toFixed(5));
  at.toggleAttribute("data-loss", loss > 0);
  at.toggleAttribute("data-close", Math.abs(dP - dN) < 0.16 * max);
  at.toggleAttribute("data-before", dN < dP);
  byId("at-p").textContent = fixed(dP);
  byId("at-n").textContent = fixed(dN);
  byId("margin-width").textContent = `α = ${fixed(alpha, 2)}`;
  byId("loss-width").textContent = loss > 0 ? `loss ${fixed(loss)}` : "";
  at.setAttribute("aria-label", `From the anchor the positive is at ${fixed(dP)}, the negative at ${fixed(dN)}; with the margin the negative would have to be at ${fixed(dP + alpha)} or beyond.`);
}

const WIDTH = 300, HEIGHT = 170, LEFT = 8, FOOT = 22, TOP = 10;

/** The loss against the margin, a hinge at d(A, N) - d(A, P). */
export function plotHinge(dP, dN, alpha, loss) {
  const most = Math.max(hinge(dP, dN, 1), 0.2);
  const x = (value) => LEFT + value * (WIDTH - 2 * LEFT);
  const y = (value) => HEIGHT - FOOT - (value / most) * (HEIGHT - FOOT - TOP);
  const knee = Math.min(Math.max(dN - dP, 0), 1);
  const svg = byId("hinge");
  svg.replaceChildren(
    shape("path", { class: "axis", d: `M${x(0)} ${y(0)}H${x(1)}` }),
    shape("path", { class: "hinge-line", d: `M${x(0)} ${y(hinge(dP, dN, 0))}L${x(knee)} ${y(hinge(dP, dN, knee))}L${x(1)} ${y(hinge(dP, dN, 1))}` }),
    shape("path", { class: "hinge-now", d: `M${x(alpha)} ${y(0)}V${y(loss)}` }),
    shape("circle", { class: "hinge-dot", cx: x(alpha), cy: y(loss), r: 5 }),
    words(x(0), HEIGHT - 5, "α = 0", "start"),
    words(x(0.5), HEIGHT - 5, "0.5", "middle"),
    words(x(1), HEIGHT - 5, "1", "end"),
    words(x(0), TOP + 8, `loss ${fixed(loss)}`, "start"), // the line leaves this corner free
  );
  svg.setAttribute("aria-label", `The loss against the margin: zero up to ${fixed(Math.max(dN - dP, 0))}, then rising one for one; now ${fixed(loss)}.`);
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function words(x, y, text, anchor) {
  const made = shape("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}

/** The encodings as bars up and down, the squared differences as bars up, each kind to one scale. */
export function strips([a, p, n]) {
  const sets = { A: a, P: p, N: n };
  const squares = { P: a && p && a.map((x, k) => (x - p[k]) ** 2), N: a && n && a.map((x, k) => (x - n[k]) ** 2) };
  const highest = (rows) => Math.max(...rows.filter(Boolean).flat().map(Math.abs), 1e-6);
  const most = highest(Object.values(sets));
  const mostSquare = highest(Object.values(squares));
  for (const strip of document.querySelectorAll(".strip")) {
    const difference = strip.classList.contains("of-difference");
    const values = (difference ? squares : sets)[strip.dataset.role];
    const svg = strip.querySelector("svg");
    svg.replaceChildren(...(values ? [bars(values, difference ? mostSquare : most, difference)] : []), cursor());
    strip.toggleAttribute("data-empty", !values);
    if (difference) strip.querySelector(".sum").textContent = values ? `sum ${fixed(values.reduce((sum, x) => sum + x, 0))}` : "";
  }
}

/** One path for all bars: 128 in 40 units of height. */
function bars(values, most, upward) {
  const base = upward ? 39.5 : 20;
  const reach = upward ? 39 : 19.5;
  const d = values.map((value, k) => `M${k + 0.14} ${base}h.72v${(-value / most * reach).toFixed(3)}h-.72z`).join("");
  return shape("path", { class: "bars", d });
}

const cursor = () => shape("rect", { class: "cursor", y: 0, width: 1, height: 40 });

/** The one number that is looked at, in all rows at once. */
export function look([a, p, n], k) {
  const of = { A: a?.[k], P: p?.[k], N: n?.[k] };
  for (const strip of document.querySelectorAll(".strip")) {
    strip.querySelector(".cursor").setAttribute("x", k);
    const own = of[strip.dataset.role];
    const value = strip.classList.contains("of-difference") ? (own !== undefined && of.A !== undefined ? (of.A - own) ** 2 : undefined) : own;
    strip.querySelector("output").textContent = value === undefined ? "" : fixed(value, strip.classList.contains("of-difference") ? 5 : 3);
  }
}
