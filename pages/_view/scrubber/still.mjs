// What stands still while one sweep is under the hand: names, ticks, helps, the squares.

import { element, write } from "./dom.mjs";
import { isNumber } from "./numbers.mjs";
import { endWords, lengthWords, longestSentence, modeWords } from "./sentences.mjs";
import { angleTicks, endTick, showSquares, stepAt } from "./squares.mjs";
import { plainDegrees } from "./words.mjs";

const HELPS = { epsilon: "epsilon", is: "image_score", as: "attribute_score", drift: "logit_drift", pictures: "pictures" };
const CLOSE = 0.08; // of the slider: on a phone two marks nearer than this would touch
const ROWS = ["", "low"]; // where the marks stand on a phone
const ROOMY = 0.25; // of the slider: what the words at its end need beside pictures
const ROOMY_ON_A_PHONE = 0.4; // and there; the words of the feasible turn are as long

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
  const feasible = feasibleAt(data);
  const found = JSON.stringify([angleTicks(data), endTick(data), endWords(data), feasible]);
  if (box.lastTicks === found) return;
  box.lastTicks = found;
  box.replaceChildren();
  const before = ROWS.map(() => -1);
  for (const { angle, at, index } of angleTicks(data)) {
    const row = before.findIndex((other) => at - other >= CLOSE);
    if (row >= 0) before[row] = at;
    const degrees = plainDegrees(angle, 1);
    const tick = buildTick(box, ROWS[row] ?? "close", `Go to IS = ${degrees}`, () => goTo(index));
    tick.style.setProperty("--at", at.toFixed(4));
    write(tick, degrees);
  }
  if (feasible !== null) showFeasible(box, feasible, before);
  if (endTick(data)) showEnd(box, data, before, goTo);
}

function buildTick(box, className, name, go) {
  const tick = element("button", className, box);
  tick.type = "button";
  tick.setAttribute("aria-label", name);
  tick.addEventListener("click", go);
  return tick;
}

// Its words stand below on a phone: `before` notes how far they reach there.
function showFeasible(box, at, before) {
  const late = at > 0.6; // its words would be cut at the right edge
  const mark = element("div", "feasible", box);
  mark.style.setProperty("--at", at.toFixed(4));
  mark.classList.toggle("late", late);
  write(element("span", "", mark), "largest feasible turn");
  before[1] = Math.max(before[1], late ? at : at + ROOMY_ON_A_PHONE);
}

// What the far end is, in words where there is room for them.
function showEnd(box, data, before, goTo) {
  const { angle, index, room } = endTick(data);
  const roomy = before.findIndex((other) => 1 - other >= ROOMY_ON_A_PHONE);
  const row = roomy >= 0 ? roomy : before.findIndex((other) => 1 - other >= 2 * CLOSE);
  const said = `${endWords(data)}, `;
  const degrees = plainDegrees(angle, 0);
  const tick = buildTick(box, `end ${ROWS[row] ?? "close"}`, `Go to the end: ${said}${degrees}`, () => goTo(index));
  tick.classList.toggle("short", room < ROOMY);
  tick.classList.toggle("brief", roomy < 0);
  write(element("span", "said", tick), said);
  write(element("span", "", tick), degrees);
}

// Where the slider has the largest turn that a network can produce by any step on it.
function feasibleAt(data) {
  if (!isNumber(data.feasible_deg) || data.epsilon.length < 2) return null;
  const index = stepAt(data.image_score_deg ?? [], data.feasible_deg);
  return index === null ? null : index / (data.epsilon.length - 1);
}
