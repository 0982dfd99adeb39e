// The curves IS(ε) and AS(ε) as SVG in real pixels, redrawn per sweep or width; the cursor moves.

const PLOT_HEIGHT = 250;
const MARGIN = { left: 46, right: 40, top: 14, bottom: 40 };

function plotScales(data, width) {
  const epsilon = data.epsilon.filter(isNumber);
  const last = epsilon.length ? Math.max(...epsilon) : 0;
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

function curvePath(data, values, scales) {
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

function words(svg, className, x, y, text, anchor = "middle") {
  shape("text", { class: className, x, y, "text-anchor": anchor }, svg).textContent = text;
}

function drawAxes(svg, scales) {
  const right = scales.width - MARGIN.right;
  const floor = PLOT_HEIGHT - MARGIN.bottom;
  for (const value of ticks(scales.bottom, scales.top, 4)) {
    const y = scales.y(value);
    const kind = Math.abs(value) < 1e-9 ? "zero" : "grid";
    shape("line", { class: kind, x1: MARGIN.left, x2: right, y1: y, y2: y }, svg);
    words(svg, "tick-label", MARGIN.left - 7, y + 4, `${Number(value.toFixed(4))}°`.replace("-", MINUS), "end");
  }
  for (const value of ticks(0, scales.end, scales.width > 480 ? 8 : 4)) {
    words(svg, "tick-label", scales.x(value), floor + 17, String(Number(value.toFixed(6))));
  }
  words(svg, "axis-title", (MARGIN.left + right) / 2, PLOT_HEIGHT - 5, "ε (feature-norm units)");
}

// Direct labels at the right ends of the curves, pushed apart when they would touch.
function labelCurves(svg, data, scales) {
  const lastValue = (values) => (values ?? []).filter(isNumber).at(-1);
  const ends = [
    { text: "IS", value: lastValue(data.image_score_deg) },
    { text: "AS", value: lastValue(data.attribute_score_deg) },
  ].filter((end) => isNumber(end.value));
  for (const end of ends) end.y = scales.y(end.value) + 5;
  if (ends.length === 2 && Math.abs(ends[0].y - ends[1].y) < 18) {
    const middle = (ends[0].y + ends[1].y) / 2;
    const upper = ends[0].value >= ends[1].value ? 0 : 1;
    ends[upper].y = middle - 9;
    ends[1 - upper].y = middle + 9;
  }
  for (const end of ends) {
    words(svg, "curve-label", scales.width - MARGIN.right + 9, end.y, end.text, "start");
  }
}

function drawTarget(svg, data, scales) {
  const target = data.target;
  const epsilon = at(data.epsilon, target?.index);
  if (!target?.reachable || !isNumber(epsilon) || !isNumber(target.image_score_deg)) return;
  const [x, y] = [scales.x(epsilon), scales.y(target.image_score_deg)];
  shape("path", { class: "target", d: `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z` }, svg);
  const text = `IS = ${Number(target.image_score_deg.toFixed(1))}°`;
  // The curve rises: the free room is above it to the left, or, near the axis, below to the right.
  if (x < 130) words(svg, "target-label", x + 11, y + 20, text, "start");
  else words(svg, "target-label", x - 11, y - 6, text, "end");
}

// Draws everything that stands still; returns the parts that move.
function drawPlot(svg, data, width) {
  const scales = plotScales(data, width);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${PLOT_HEIGHT}`);
  drawAxes(svg, scales);
  shape("path", { class: "curve is", d: curvePath(data, data.image_score_deg, scales) }, svg);
  shape("path", { class: "curve as", d: curvePath(data, data.attribute_score_deg, scales) }, svg);
  labelCurves(svg, data, scales);
  drawTarget(svg, data, scales);
  const cursor = shape("line", { class: "cursor", y1: MARGIN.top - 6, y2: PLOT_HEIGHT - MARGIN.bottom }, svg);
  const dotIs = shape("circle", { class: "dot is", r: 6 }, svg);
  const dotAs = shape("rect", { class: "dot as", x: -5.5, y: -5.5, width: 11, height: 11 }, svg);
  return { scales, cursor, dotIs, dotAs };
}

function paintPlot(plot, data, index) {
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

// The step whose ε is nearest to a pixel of the plot.
function nearestStep(plot, data, pixel) {
  const wanted = plot.scales.epsilonAt(pixel);
  let best = 0;
  data.epsilon.forEach((epsilon, index) => {
    if (Math.abs(epsilon - wanted) < Math.abs(data.epsilon[best] - wanted)) best = index;
  });
  return best;
}
