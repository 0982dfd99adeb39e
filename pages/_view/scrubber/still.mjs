// What stands still while one sweep is under the hand: names, ticks, helps, the squares.

import { element, write } from "./dom.mjs";
import { isNumber } from "./numbers.mjs";
import { lengthWords, longestSentence, modeWords } from "./sentences.mjs";
import { angleTicks, showSquares, stepAt } from "./squares.mjs";
import { plainDegrees } from "./words.mjs";

const HELPS = { epsilon: "epsilon", is: "image_score", as: "attribute_score", drift: "logit_drift", pictures: "pictures" };
const CLOSE = 0.08; // of the slider: on a phone two marks nearer than this would touch
const ROWS = ["", "low"]; // where the marks stand on a phone

// `goTo` takes a step; the tick marks call it.
export function showStill(view, goTo) {
  const { parts, data, ranking } = view;
  write(parts.mode, modeWords(data));
  parts.mode.title = String(data.prompt ?? "").slice(0, 500);
  write(parts.longest, longestSentence(data));
  showEnds(parts, data);
  for (const [part, name] of Object.entries(HELPS)) write(parts[`help-${part}`], String(data.help?.[name] ?? ""));
  write(parts.note, data.target && !data.target.reachable ? String(data.target.sentence ?? "") : "");
  showTicks(parts.ticks, data, goTo);
  showSquares(view);
  write(parts.far, `${ranking.far}°`);
  write(parts.near, `${ranking.near}°`);
  const bare = !ranking.steps.some((step) => step.length);
  for (const part of ["legend", "scale"]) parts[part].hidden = bare;
  parts["no-concepts"].hidden = !bare;
}

function showEnds(parts, data) {
  const last = data.epsilon.length - 1;
  parts.range.max = String(Math.max(0, last));
  parts.range.disabled = last < 1;
  write(parts.length, lengthWords(data));
}

function showTicks(box, data, goTo) {
  const found = JSON.stringify([angleTicks(data), feasibleAt(data)]);
  if (box.lastTicks === found) return;
  box.lastTicks = found;
  box.replaceChildren();
  const before = ROWS.map(() => -1);
  for (const { angle, at, index } of angleTicks(data)) {
    const row = before.findIndex((other) => at - other >= CLOSE);
    const tick = element("button", ROWS[row] ?? "close", box);
    if (row >= 0) before[row] = at;
    tick.type = "button";
    tick.style.setProperty("--at", at.toFixed(4));
    tick.setAttribute("aria-label", `Go to IS = ${plainDegrees(angle, 1)}`);
    write(tick, plainDegrees(angle, 1));
    tick.addEventListener("click", () => goTo(index));
  }
  const at = feasibleAt(data);
  if (at === null) return;
  const mark = element("div", "feasible", box);
  mark.style.setProperty("--at", at.toFixed(4));
  mark.classList.toggle("late", at > 0.6); // its words would be cut at the right edge
  write(element("span", "", mark), "largest feasible turn");
}

// Where the slider has the largest turn that a network can produce by any step on it.
function feasibleAt(data) {
  if (!isNumber(data.feasible_deg) || data.epsilon.length < 2) return null;
  const index = stepAt(data.image_score_deg ?? [], data.feasible_deg);
  return index === null ? null : index / (data.epsilon.length - 1);
}
