// What the scrubber says of a sweep, in whole phrases.

import { at, isNumber } from "./numbers.mjs";
import { NONE, brief, fixed, plainDegrees, signed, signedDegrees } from "./words.mjs";

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

// The decision is said to stand up to the drift that the server allows, and no further.
export function decisionWords(data, index) {
  const drift = at(data.max_logit_drift, index);
  const { max_abs_logit: largest, drift_budget: budget } = data;
  const measured = [drift, largest, budget].every(isNumber);
  const within = measured && drift <= budget * Math.abs(largest);
  const beyond = measured ? "too large to say that the decision stands" : "not measured";
  const verdict = within ? "decision stands" : beyond;
  return `of largest logit ${fixed(largest, 1)} — ${verdict}: ${String(data.decision ?? NONE)}`;
}

export function averageWords(data, index) {
  const average = at(data.average_score_deg, index);
  return isNumber(average) ? `average concept ${signedDegrees(average)}` : "";
}

export function lengthWords(data) {
  const length = data.feature_norm;
  return isNumber(length) ? `length of this photo’s feature |f| = ${brief(length)}` : "";
}

export const targetWords = (target) => `IS = ${plainDegrees(target?.image_score_deg, 1)}`;
