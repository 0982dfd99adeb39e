// The curves IS(ε) and AS(ε) as SVG in real pixels, redrawn per sweep or width; the cursor moves.

import { shape } from "./dom.mjs";
import { at, isNumber } from "./numbers.mjs";
import { MARGIN, PLOT_HEIGHT, curveLabels, curvePath, plotScales, targetMark } from "./scales.mjs";
import { ticks } from "./ticks.mjs";
import { plain, plainDegrees } from "./words.mjs";

function label(svg, className, x, y, text, anchor = "middle") {
  shape("text", { class: className, x, y, "text-anchor": anchor }, svg).textContent = text;
}

function drawAxes(svg, scales) {
  const right = scales.width - MARGIN.right;
  const floor = PLOT_HEIGHT - MARGIN.bottom;
  for (const value of ticks(scales.bottom, scales.top, 4)) {
    const y = scales.y(value);
    const kind = Math.abs(value) < 1e-9 ? "zero" : "grid";
    shape("line", { class: kind, x1: MARGIN.left, x2: right, y1: y, y2: y }, svg);
    label(svg, "tick-label", MARGIN.left - 7, y + 4, plainDegrees(value, 4), "end");
  }
  for (const value of ticks(0, scales.end, scales.width > 480 ? 8 : 4)) {
    label(svg, "tick-label", scales.x(value), floor + 17, plain(value, 6));
  }
  label(svg, "axis-title", (MARGIN.left + right) / 2, PLOT_HEIGHT - 5, "ε (feature-norm units)");
}

function drawTarget(svg, mark) {
  const { x, y } = mark;
  shape("path", { class: "target", d: `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z` }, svg);
  label(svg, "target-label", mark.label.x, mark.label.y, mark.label.text, mark.label.anchor);
}

// Draws everything that stands still; returns the parts that move.
export function drawPlot(svg, data, width) {
  const scales = plotScales(data, width);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${PLOT_HEIGHT}`);
  drawAxes(svg, scales);
  shape("path", { class: "curve is", d: curvePath(data, data.image_score_deg, scales) }, svg);
  shape("path", { class: "curve as", d: curvePath(data, data.attribute_score_deg, scales) }, svg);
  for (const { text, y } of curveLabels(data, scales)) {
    label(svg, "curve-label", width - MARGIN.right + 9, y, text, "start");
  }
  const mark = targetMark(data, scales);
  if (mark) drawTarget(svg, mark);
  const cursor = shape("line", { class: "cursor", y1: MARGIN.top - 6, y2: PLOT_HEIGHT - MARGIN.bottom }, svg);
  const dotIs = shape("circle", { class: "dot is", r: 6 }, svg);
  const dotAs = shape("rect", { class: "dot as", x: -5.5, y: -5.5, width: 11, height: 11 }, svg);
  return { scales, cursor, dotIs, dotAs };
}

export function paintPlot(plot, data, index) {
  const epsilon = at(data.epsilon, index);
  const x = isNumber(epsilon) ? plot.scales.x(epsilon) : null;
  const place = (node, value) => {
    const shown = x !== null && isNumber(value);
    node.setAttribute("visibility", shown ? "visible" : "hidden");
    if (shown) node.setAttribute("transform", `translate(${x.toFixed(1)} ${plot.scales.y(value).toFixed(1)})`);
  };
  plot.cursor.setAttribute("visibility", x === null ? "hidden" : "visible");
  if (x !== null) plot.cursor.setAttribute("transform", `translate(${x.toFixed(1)} 0)`);
  place(plot.dotIs, at(data.image_score_deg, index));
  place(plot.dotAs, at(data.attribute_score_deg, index));
}
