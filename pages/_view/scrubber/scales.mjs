// Where the plot's things lie, in px: scales, curves, the labels at their ends, the target.

import { at, isNumber } from "./numbers.mjs";
import { targetWords } from "./sentences.mjs";

export const PLOT_HEIGHT = 250;
export const MARGIN = { left: 46, right: 40, top: 14, bottom: 40 };
const LABEL_GAP = 18; // px between the labels of two curves that end together

// Degrees upwards from 0 or below it, ε to the right from 0; `epsilonAt` is the inverse of `x`.
export function plotScales(data, width) {
  const last = Math.max(0, ...data.epsilon.filter(isNumber));
  const values = [...(data.image_score_deg ?? []), ...(data.attribute_score_deg ?? [])].filter(isNumber);
  if (data.target?.reachable && isNumber(data.target.image_score_deg)) values.push(data.target.image_score_deg);
  const low = Math.min(0, ...values);
  const high = Math.max(low + 1, ...values);
  const pad = 0.06 * (high - low);
  const [bottom, top] = [low < 0 ? low - pad : low, high + pad];
  const end = last > 0 ? last : 1;
  const inner = Math.max(10, width - MARGIN.left - MARGIN.right);
  const tall = PLOT_HEIGHT - MARGIN.top - MARGIN.bottom;
  return {
    bottom, top, end, width,
    x: (value) => MARGIN.left + (inner * value) / end,
    y: (value) => MARGIN.top + (tall * (top - value)) / (top - bottom),
    epsilonAt: (pixel) => ((pixel - MARGIN.left) / inner) * end,
  };
}

// An SVG path; what is not known leaves a gap.
export function curvePath(data, values, scales) {
  let pen = "M";
  let path = "";
  data.epsilon.forEach((epsilon, index) => {
    const value = at(values, index);
    if (!isNumber(epsilon) || !isNumber(value)) return void (pen = "M");
    path += `${pen}${scales.x(epsilon).toFixed(1)} ${scales.y(value).toFixed(1)}`;
    pen = "L";
  });
  return path;
}

// Direct labels at the right ends of the curves, pushed apart when they would touch.
export function curveLabels(data, scales) {
  const lastValue = (values) => (values ?? []).filter(isNumber).at(-1);
  const ends = [
    { text: "IS", value: lastValue(data.image_score_deg) },
    { text: "AS", value: lastValue(data.attribute_score_deg) },
  ].filter((end) => isNumber(end.value));
  for (const end of ends) end.y = scales.y(end.value) + 5;
  if (ends.length === 2 && Math.abs(ends[0].y - ends[1].y) < LABEL_GAP) {
    const middle = (ends[0].y + ends[1].y) / 2;
    const upper = ends[0].value >= ends[1].value ? 0 : 1;
    ends[upper].y = middle - LABEL_GAP / 2;
    ends[1 - upper].y = middle + LABEL_GAP / 2;
  }
  return ends.map(({ text, y }) => ({ text, y }));
}

// The mark of the wanted image score and its label; null where it is not reached.
export function targetMark(data, scales) {
  const target = data.target;
  const epsilon = at(data.epsilon, target?.index);
  if (!target?.reachable || !isNumber(epsilon) || !isNumber(target.image_score_deg)) return null;
  const [x, y] = [scales.x(epsilon), scales.y(target.image_score_deg)];
  // The curve rises: the free room is above it to the left, or, near the axis, below to the right.
  const label = x < 130 ? { x: x + 11, y: y + 20, anchor: "start" } : { x: x - 11, y: y - 6, anchor: "end" };
  return { x, y, label: { ...label, text: targetWords(target) } };
}
