// What a person is told during a live check: for each state the instruction, and what goes with it.

const LEFT = "M15 5 8 12l7 7";
const RIGHT = "m9 5 7 7-7 7";
const UP = "m5 15 7-7 7 7";
const DOWN = "m5 9 7 7 7-7";
const NEARER = "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5";

/** Of a movement: what is said, the side of the mirrored picture that it goes to, and its sign. */
export const MOVEMENTS = {
  turn_left: { say: "Turn your head to the left", side: "left", sign: LEFT },
  turn_right: { say: "Turn your head to the right", side: "right", sign: RIGHT },
  look_up: { say: "Lift your chin and look up", side: "top", sign: UP },
  look_down: { say: "Lower your chin and look down", side: "bottom", sign: DOWN },
  come_closer: { say: "Come closer to the camera", side: "bottom", sign: NEARER },
};

/** Of a phase in which no movement is asked. */
export const PHASES = {
  find: "Look straight into the camera",
  hold: "Hold still",
  return: "And look straight again",
  done: "One moment",
};

export const HINTS = {
  show_face: "Bring your face into the oval.",
  one_person: "One person at a time, please.",
  closer: "Come a little closer.",
  farther: "Move back a little.",
  centre: "Move to the middle of the oval.",
  straight: "Look straight into the camera.",
  still: "Keep still for a moment.",
  light: "More light on your face.",
  slower: "A little slower.",
};

/** Of a state before, between and after: title and what to do. Verdicts bring words of their own. */
export const STATES = {
  camera: ["Starting the camera", "Allow it if the browser asks."],
  opening: ["One moment", "The camera is ready."],
  lost: ["The connection is lost", "Trying again. Stay where you are."],
  paused: ["Paused", "This page is in the background. Come back to it within ten seconds."],
  stopped: ["The camera was turned off", "Turn it on and try again."],
  refused: ["No live check now", ""],
  over: ["The check ended", ""],
  "no-camera": ["There is no picture", ""],
};
