// What the stage says, in whole phrases: of a scene, of a step, of a picture.

import { count, degrees, percent, signedDegrees, small } from "./words.mjs";

const quoted = (text) => `“${String(text ?? "")}”`;
const named = (found) => `${found?.label ?? "–"} ${percent(found?.probability)}`;

// A step that float32 rounding alone explains leaves the decision where it was.
const stands = (scene, index) =>
  scene.max_logit_drift[index] <= scene.drift_budget * Math.abs(scene.max_abs_logit);

export function headline(scene, index) {
  const before = `${scene.before.label}, ${percent(scene.before.probability)}`;
  const among = scene.scene.classes.length ? `Of ${count(scene.deciding)} classes ` : "";
  if (index === 0) {
    return `${among}${among ? "the" : "The"} classifier says ${before}. Now move what its last layer cannot see.`;
  }
  const turned = degrees(scene.image_score_deg[index], 0);
  const where =
    scene.scene.mode === "remove"
      ? `Its unseen part taken away, the meaning turns ${turned}`
      : `The meaning turns ${turned} towards ${quoted(scene.scene.prompt)}`;
  return stands(scene, index)
    ? `${where}. ${among ? `${among}it` : "The classifier"} still says ${before}.`
    : `${where}, and the logits move by up to ${small(scene.max_logit_drift[index])}.`;
}

export const beforeSays = (scene) => named(scene.before);

// Of the drawn feature where there is one: what is feasible may move the logits a little.
export function afterSays(scene, index, frame) {
  if (index === 0 || !frame || frame.index === 0) {
    return `${stands(scene, index) ? "=" : "≈"} ${named(index === 0 ? scene.before : scene.after)}`;
  }
  const sign = frame.max_logit_drift <= scene.drift_budget * scene.max_abs_logit ? "=" : "≈";
  return `${sign} ${named({ label: frame.feature_label, probability: frame.feature_probability })}`;
}

export function driftWords(scene, index, frame) {
  const drift = small(scene.max_logit_drift[index]);
  const whole = `no deciding logit moves by more than ${drift} (largest ${scene.max_abs_logit.toFixed(1)})`;
  if (!frame || frame.index === 0 || scene.scene.drawn !== "feasible") return whole;
  const [asked, kept] = [scene.image_score_deg[frame.index], frame.image_score_deg].map((one) => degrees(one, 0));
  return `${whole}; of ${asked} the network can produce ${kept}, drawn (± ${small(frame.max_logit_drift)})`;
}

export function headWords(scene) {
  const free = `${count(scene.nullity)} of ${count(scene.feature_dim)} directions are free`;
  const who = scene.scene.classes.length ? `${scene.deciding} classes decide` : `all ${count(scene.deciding)} classes decide`;
  return `${scene.model_title} · ${who} · ${free}`;
}

export const rankWords = (scene, index) =>
  index === 0 ? count(scene.rank[0]) : `${count(scene.rank[0])} → ${count(scene.rank[index])}`;
export const rankNote = (scene) => `place of the prompt among ${count(scene.concepts)} words`;
export const averageWords = (scene, index) =>
  `average word ${signedDegrees(scene.average_score_deg[index])}`;

// What stands under a drawn picture: the step that it draws is not always the asked one.
export function drawnWords(scene, frame) {
  if (!frame) return "";
  if (frame.index === 0) return "the same feature";
  const kept = degrees(frame.image_score_deg, 0);
  const asked = degrees(scene.image_score_deg[frame.index], 0);
  return scene.scene.drawn === "feasible" ? `drawn: ${kept} of the ${asked}` : `its equivalent, drawn: ${kept}`;
}

// A picture that says something else than the feature says so itself; "" where it does not.
export function badge(scene, frame) {
  if (!frame || frame.label === scene.before.label) return "";
  return `this picture reads as ${frame.label}`;
}

export const CONTROLS_HEADLINE = "Three steps of the same length: the classifier cannot see the first.";

export function controlWords(control) {
  const names = { null: "an unseen step", random: "a random step", principal: "a step that it sees" };
  const says = named({ label: control.feature_label, probability: control.feature_probability });
  return {
    name: `${names[control.name] ?? control.name}: ${degrees(control.image_score_deg, 0)}`,
    says: `${says}, logits ± ${small(control.max_logit_drift)}`,
  };
}

export function spoken(scene, index) {
  const turned = degrees(scene.image_score_deg[index]).replace("°", " degrees");
  const nearer = signedDegrees(scene.attribute_score_deg[index]).replace("°", " degrees");
  return `image score ${turned}, attribute score ${nearer}`;
}

export const placeWords = (at, scenes) => `${at + 1} / ${scenes.length}`;
