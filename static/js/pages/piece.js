// One piece while it is made: the studio, and the moments to hear, read, cut, turn or watch.
import "../lib/exhibit-view.js";
import { Studio } from "../lib/studio.js";

const data = document.getElementById("studio").dataset;
const picture = document.getElementById("picture");
const easel = document.getElementById("easel");
const wave = document.getElementById("live-wave");
const steps = document.getElementById("steps");
const view = document.getElementById("moment");
let follows = true; // the newest moment, until another is chosen

function showMoment(step) {
  const base = `${data.moments}${step}/`;
  if (view.getAttribute("base") !== base) view.setAttribute("base", base);
  if (data.status !== "running") hang(step);
}

/** While nothing new comes, the frame has the chosen moment's picture. */
function hang(step) {
  picture.showUrl(`${data.moments}${step}/picture.jpg`);
  if (studio.final) document.getElementById("plate-step").textContent = `Step ${step} of ${data.steps}`;
}

function choice(step) {
  const label = document.createElement("label");
  const radio = Object.assign(document.createElement("input"), { type: "radio", name: "moment", value: step });
  label.append(radio, Object.assign(document.createElement("span"), { textContent: step }));
  return label;
}

/** The row of kept steps: those that are gone go, those that came are put in their place. */
function showMoments(moments) {
  if (!moments.length) return;
  const radios = new Map([...steps.querySelectorAll("input")].map((radio) => [Number(radio.value), radio]));
  for (const [step, radio] of radios) if (!moments.includes(step)) radio.parentElement.remove();
  moments.forEach((step, i) => {
    if (!radios.has(step)) steps.insertBefore(choice(step), steps.children[i] ?? null);
  });
  document.getElementById("moments").hidden = false;
  for (const input of document.querySelectorAll(".inputs exhibit-view:not([base])")) input.setAttribute("base", input.dataset.base);
  const chosen = steps.querySelector("input:checked");
  if (follows || !chosen) showNewest();
}

function showNewest() {
  if (view.plays) return; // nothing changes while one listens
  const newest = steps.lastElementChild.querySelector("input");
  newest.checked = true;
  steps.scrollLeft = steps.scrollWidth; // it is the last of the row
  showMoment(newest.value);
}

steps.addEventListener("change", ({ target }) => {
  follows = target === steps.lastElementChild.querySelector("input");
  showMoment(target.value);
});

const studio = new Studio({
  state: (job, changed) => {
    showMoments(job.moments);
    if (job.status === "running") return;
    if (wave) wave.hidden = true; // it stands below, to be heard
    const chosen = steps.querySelector("input:checked");
    if (changed && chosen) hang(chosen.value);
  },
  frame: ({ width, height, waveform }) => {
    easel.style.setProperty("--ratio", `${width} / ${height}`);
    picture.size(width, height);
    if (wave && waveform) {
      wave.hidden = false;
      wave.show(waveform);
    }
  },
});
showMoments([...steps.querySelectorAll("input")].map((radio) => Number(radio.value)));
