// Places on the slider: a step is an index into the sweep's ε.

import { at, clamp, isNumber } from "./numbers.mjs";

// The step that exists for any wish: whole, inside the sweep, 0 for what is no number.
export function boundedStep(wish, count) {
  return clamp(Math.round(wish) || 0, 0, Math.max(0, count - 1));
}

// How much of the slider lies before a step, from 0 to 1.
export const shareBefore = (index, count) => (count > 1 ? index / (count - 1) : 0);

// The step whose ε is nearest to the wanted one; of two equally near, the first.
export function nearestStep(epsilons, wanted) {
  let best = 0;
  let least = Infinity;
  epsilons.forEach((epsilon, index) => {
    const distance = isNumber(epsilon) ? Math.abs(epsilon - wanted) : Infinity;
    if (distance < least) [best, least] = [index, distance];
  });
  return best;
}

// What a release says to the server; null where it would say nothing new.
export function messageOf(data, index, sent) {
  const value = at(data.epsilon, index);
  return index === sent || !isNumber(value) ? null : { sweep_id: data.sweep_id, value };
}
