// Which concepts stand in which row at which step, worked out once per sweep.

import { at, clamp, isNumber } from "./numbers.mjs";

export const MOST = 5; // that rise, and as many that fall

// Returns { steps: n lists of concepts (prompt first), near, far } with the bars' scale in degrees.
export function rankConcepts(data) {
  const given = Array.isArray(data.concepts) ? data.concepts : [];
  const usable = given.filter((concept) => concept && Array.isArray(concept.angle_deg));
  const pinned = usable.find((concept) => concept.kind === "prompt");
  const others = usable.filter((concept) => concept !== pinned);
  const steps = data.epsilon.map((_, index) => {
    const moved = movedConcepts(others, index);
    return pinned ? [pinned, ...moved] : moved;
  });
  return { steps, ...barScale(new Set(steps.flat())) };
}

// How much nearer a concept came than the average one did, in degrees.
export function beyondAverage(data, concept, index) {
  const [before, now] = [concept.angle_deg[0], concept.angle_deg[index]];
  const average = at(data.average_score_deg, index);
  return isNumber(before) && isNumber(now) ? before - now - (isNumber(average) ? average : 0) : null;
}

// Those that rise most, then those that fall most; the average moves them all alike.
function movedConcepts(concepts, index) {
  const rise = (concept) => concept.angle_deg[0] - concept.angle_deg[index];
  const known = concepts.filter((concept) => isNumber(concept.angle_deg[0]) && isNumber(concept.angle_deg[index]));
  const sorted = known.sort((a, b) => rise(b) - rise(a));
  return sorted.length <= 2 * MOST ? sorted : [...sorted.slice(0, MOST), ...sorted.slice(-MOST)];
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
