// What the scrubber says of a sweep, in whole phrases.

import { at, isNumber } from "./numbers.mjs";
import { NONE, brief, fixed, plain, plainDegrees, signed, signedDegrees } from "./words.mjs";

// "ε 3.20, image score 24.1 degrees, attribute score +6.3 degrees"
export function spoken(data, index) {
  const spell = (text) => (text === NONE ? "not available" : `${text} degrees`);
  return (
    `${epsilonWords(at(data.epsilon, index))}, ` +
    `image score ${spell(fixed(at(data.image_score_deg, index), 1))}, ` +
    `attribute score ${spell(signed(at(data.attribute_score_deg, index), 1))}`
  );
}

export const epsilonWords = (value) => `ε ${fixed(value, 2)}`;

export function modeWords(data) {
  const prompt = `“${String(data.prompt ?? "")}”`;
  return data.mode === "remove" ? `Removing the null part; AS is towards ${prompt}` : `Steering towards ${prompt}`;
}

// Whether the drift lies within what the server allows: true, false, or null where not measured.
function withinBudget(data, index) {
  const drift = at(data.max_logit_drift, index);
  const { max_abs_logit: largest, drift_budget: budget } = data;
  return [drift, largest, budget].every(isNumber) ? drift <= budget * Math.abs(largest) : null;
}

// The decision is said to stand up to the drift that the server allows, and no further.
export function decisionWords(data, index) {
  const within = withinBudget(data, index);
  const beyond = within === null ? "not measured" : "too large to say that the decision stands";
  return `of largest logit ${fixed(data.max_abs_logit, 1)}: ${within ? "the decision stands" : beyond}`;
}

// No class has a probability of 0.
const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${fixed(100 * share, 0)} %`);

const classWords = (found) => (found ? `${found.label} ${percent(found.probability)}` : "");

export const saysBefore = (data) => classWords(data.before);

// The same logits are the same decision; where they drift, only the released step was read.
export function saysAfter(data, index) {
  if (!data.before) return "";
  if (withinBudget(data, index)) return `= ${classWords(data.before)}`;
  return data.after?.index === index ? `→ ${classWords(data.after)}` : "let go of the slider to read it";
}

export function beyondWords(data, index) {
  const [score, average] = [at(data.attribute_score_deg, index), at(data.average_score_deg, index)];
  if (!isNumber(score) || !isNumber(average)) return "+ is nearer to the prompt";
  return `${signedDegrees(score - average)} beyond the average concept`;
}

export function rankWords(data, index) {
  const [first, now] = [at(data.prompt_rank, 0), at(data.prompt_rank, index)];
  if (!isNumber(now) || !isNumber(first)) return "";
  const [place, count, was] = [now, data.concept_count, first].map((one) => Number(one).toLocaleString("en"));
  return `prompt: nearest no. ${place} of ${count}${now === first ? "" : `, was ${was}`}`;
}

export function lengthWords(data) {
  const length = data.feature_norm;
  return isNumber(length) ? `length of this photo’s feature |f| = ${brief(length)}` : "";
}

// What the far end of the slider is.
export const endWords = (data) => (data.mode === "remove" ? "all removed" : "longest step");

export const targetWords = (target) => `IS = ${plainDegrees(target?.image_score_deg, 1)}`;

// One sentence in plain words about the place of the slider.
export function plainSentence(data, index) {
  const [turned, nearer] = [at(data.image_score_deg, index), at(data.attribute_score_deg, index)];
  const name = data.before?.label ? `“${data.before.label}” (${percent(data.before.probability)})` : "the same";
  if (index === 0) return `Nothing has moved yet: pull the slider to the right, and the classifier will go on saying ${name}.`;
  if (!isNumber(turned) || !isNumber(nearer)) return "The scores of this step are not available.";
  return `${decisionClause(data, index, name)} the meaning of the photo’s feature has turned ${seenWords(turned)} and lies ${nearWords(data, nearer)}.`;
}

// What to do first; said until it is done.
export function inviteWords(data, index) {
  return index > 0 && data.epsilon.length > 1 ? " Pull the slider." : "";
}

// What the sentence may need at most, wherever the slider is pulled.
export function longestSentence(data) {
  const all = data.epsilon.map((_, index) => plainSentence(data, index) + inviteWords(data, index));
  return all.reduce((best, one) => (one.length > best.length ? one : best), "");
}

function decisionClause(data, index, name) {
  const among = data.before?.among > 0 ? `Of the ${data.before.among} chosen classes it` : "The classifier";
  if (withinBudget(data, index)) return `${among} still says ${name}, although`;
  return `The classifier’s answer may drift by ${brief(at(data.max_logit_drift, index))}, and`;
}

// Below 10° hardly anything is visible in the paper's Fig. 10.
function seenWords(degrees) {
  const size = degrees < 10 ? "hardly visibly" : degrees < 30 ? "visibly" : "far";
  return `${size} (by ${plain(degrees, 0)}°)`;
}

function nearWords(data, degrees) {
  const prompt = `“${String(data.prompt ?? "")}”`;
  if (Math.abs(degrees) < 0.5) return `as near to ${prompt} as before`;
  return `${plain(Math.abs(degrees), 0)}° ${degrees > 0 ? "nearer to" : "further from"} ${prompt}`;
}
