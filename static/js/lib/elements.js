// Elements made by script.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with a class and a text. */
export function make(tag, className = "", textContent = "") {
  return Object.assign(document.createElement(tag), { className, textContent });
}

/** An SVG element with its attributes. */
export function vector(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
