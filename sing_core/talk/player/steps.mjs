// Places on the slider: a step is an index into the scene's ε.

import { clamp, last } from "./numbers.mjs";
import { degrees } from "./words.mjs";

export const DEGREES = [0, 10, 20, 40]; // what the keys 0 1 2 4 go to
const ARROWS = 40; // how many presses of an arrow cross the slider
const NEAR_DEG = 3; // a tick that no step comes near is not drawn

export function bounded(wish, scene) {
  return clamp(Math.round(wish) || 0, 0, last(scene.epsilon));
}

export const arrowStep = (scene) => Math.max(1, Math.round(last(scene.epsilon) / ARROWS));

// The step whose image score is nearest to the wanted one; the last where none is that far.
export function indexOfDegrees(scene, wanted) {
  let best = 0;
  scene.image_score_deg.forEach((found, index) => {
    const nearer = Math.abs(found - wanted) < Math.abs(scene.image_score_deg[best] - wanted);
    if (nearer) best = index;
  });
  return best;
}

// A recording may have no step at a score exactly: `exact` says whether it reads so where shown.
export function ticks(scene) {
  const end = last(scene.epsilon);
  return DEGREES.map((wanted) => ({ wanted, index: indexOfDegrees(scene, wanted) }))
    .filter(({ wanted, index }) => Math.abs(scene.image_score_deg[index] - wanted) < NEAR_DEG)
    .map((tick) => ({ ...tick, share: end ? tick.index / end : 0, exact: reads(scene, tick) }));
}

const reads = (scene, { wanted, index }) => degrees(scene.image_score_deg[index]) === degrees(wanted);

// Where a glide from one step to another is after a share of its time; it starts and ends slowly.
export function glide(from, to, share) {
  const done = clamp(share, 0, 1);
  const eased = done < 0.5 ? 2 * done * done : 1 - 2 * (1 - done) * (1 - done);
  return Math.round(from + (to - from) * eased);
}

// The two pictures that a step lies between, by their places in `indices`, and the later one's share.
export function blendAt(indices, index) {
  if (!indices.length) return null;
  const after = indices.findIndex((place) => place >= index);
  const over = after < 0 ? last(indices) : after;
  const under = Math.max(0, over - 1);
  const gap = indices[over] - indices[under];
  return { under, over, share: gap > 0 ? clamp((index - indices[under]) / gap, 0, 1) : 1 };
}

export const nearer = (blend) => (blend.share >= 0.5 ? blend.over : blend.under);
