// Which concepts stand in which row at which step, worked out once per sweep.

import { clamp, isNumber } from "./numbers.mjs";

export const NEAREST = 10;

// Returns { steps: n lists of concepts (prompt first), near, far } with the bars' scale in degrees.
export function rankConcepts(data) {
  const given = Array.isArray(data.concepts) ? data.concepts : [];
  const usable = given.filter((concept) => concept && Array.isArray(concept.angle_deg));
  const pinned = usable.find((concept) => concept.kind === "prompt");
  const others = usable.filter((concept) => concept !== pinned);
  const steps = data.epsilon.map((_, index) => {
    const nearest = nearestConcepts(others, index);
    return pinned ? [pinned, ...nearest] : nearest;
  });
  return { steps, ...barScale(new Set(steps.flat())) };
}

function nearestConcepts(concepts, index) {
  const angle = (concept) => concept.angle_deg[index];
  const known = concepts.filter((concept) => isNumber(angle(concept)));
  return known.sort((a, b) => angle(a) - angle(b)).slice(0, NEAREST);
}

// One scale for the whole sweep, in round fives with a degree of air, so that bars can be compared.
function barScale(concepts) {
  const angles = [...concepts].flatMap((concept) => concept.angle_deg.filter(isNumber));
  if (!angles.length) return { near: 0, far: 90 };
  const least = angles.reduce((a, b) => Math.min(a, b)); // a spread of 200,000 overflows the stack
  const most = angles.reduce((a, b) => Math.max(a, b));
  return { near: Math.max(0, Math.floor((least - 1) / 5) * 5), far: Math.ceil((most + 1) / 5) * 5 };
}

// Longer is nearer: 1 at the scale's near end, 0 at its far end and where nothing is known.
export function barLength(angle, { near, far }) {
  return isNumber(angle) ? clamp((far - angle) / (far - near), 0, 1) : 0;
}
