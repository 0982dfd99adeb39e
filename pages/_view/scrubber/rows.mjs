// The concepts' bars: a fixed pool of rows, painted anew at every step.

import { element, move, write } from "./dom.mjs";
import { isNumber } from "./numbers.mjs";
import { MOST, barLength, beyondAverage } from "./ranking.mjs";
import { NONE, degrees, signedDegrees } from "./words.mjs";

function buildRow(list) {
  const row = element("li", "row", list);
  const label = element("span", "concept", row);
  const track = element("span", "track", row);
  const bar = element("span", "bar", track);
  const carrier = element("span", "carrier", track);
  element("span", "tick", carrier);
  return { row, label, bar, carrier, now: element("span", "now", row), change: element("span", "change", row) };
}

export function buildRows(list) {
  list.replaceChildren();
  return Array.from({ length: 2 * MOST + 1 }, () => buildRow(list));
}

function nameRow(parts, concept) {
  const label = String(concept.label ?? NONE);
  parts.concept = concept;
  write(parts.label, label);
  parts.row.title = concept.kind ? `${label} (${concept.kind})` : label;
  parts.row.classList.toggle("pinned", concept.kind === "prompt");
  parts.carrier.style.visibility = isNumber(concept.angle_deg[0]) ? "visible" : "hidden";
}

function paintRow(parts, concept, { data, index, ranking }) {
  const angle = concept.angle_deg[index];
  const before = concept.angle_deg[0];
  if (parts.concept !== concept) nameRow(parts, concept);
  move(parts.bar, `scaleX(${barLength(angle, ranking).toFixed(4)})`);
  move(parts.carrier, `translateX(${(100 * barLength(before, ranking)).toFixed(2)}%)`);
  write(parts.now, degrees(angle));
  write(parts.change, signedDegrees(beyondAverage(data, concept, index)));
}

export function paintRows(view) {
  const { rows, ranking, index } = view;
  const concepts = ranking.steps[index] ?? [];
  rows.forEach((parts, place) => {
    const concept = concepts[place];
    if (parts.row.hidden === Boolean(concept)) parts.row.hidden = !concept;
    if (concept) paintRow(parts, concept, view);
  });
}
