import assert from "node:assert/strict";
import test from "node:test";

import { MARGIN, PLOT_HEIGHT, curveLabels, curvePath, plotScales, targetMark } from "../../pages/_view/scrubber/scales.mjs";

const WIDTH = 586; // 500 px for ε between the margins
const sweep = (rest = {}) => ({ epsilon: [0, 5, 10], image_score_deg: [0, 20, 40], attribute_score_deg: [0, 5, 10], ...rest });
const ends = (data) => {
  const { bottom, top, end } = plotScales(data, WIDTH);
  return [bottom, top, end];
};
const close = (found, wanted) => found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-9, `${found}`));

test("ε fills the width between the margins", () => {
  const scales = plotScales(sweep(), WIDTH);
  close([scales.x(0), scales.x(5), scales.x(10)], [MARGIN.left, 296, WIDTH - MARGIN.right]);
});

test("a pixel leads back to its ε", () => {
  const scales = plotScales(sweep(), WIDTH);
  for (const epsilon of [0, 0.3, 7.77, 10]) close([scales.epsilonAt(scales.x(epsilon))], [epsilon]);
  assert.ok(scales.epsilonAt(0) < 0 && scales.epsilonAt(WIDTH) > 10);
});

test("degrees grow upwards from the floor", () => {
  const scales = plotScales(sweep(), WIDTH);
  close([scales.y(scales.bottom), scales.y(scales.top)], [PLOT_HEIGHT - MARGIN.bottom, MARGIN.top]);
  assert.ok(scales.y(40) < scales.y(20));
});

test("the scale begins at 0, has air above, and below only where a score is negative", () => {
  close(ends(sweep()), [0, 42.4, 10]);
  close(ends(sweep({ attribute_score_deg: [0, -5, -10] })), [-13, 43, 10]);
});

test("a wanted image score has room where it is reached, and takes none where it is not", () => {
  close(ends(sweep({ target: { reachable: true, image_score_deg: 60 } })), [0, 63.6, 10]);
  close(ends(sweep({ target: { reachable: false, image_score_deg: 60 } })), [0, 42.4, 10]);
});

test("a sweep of one step, of none, or of gaps alone still has finite scales", () => {
  const gaps = { epsilon: [null, 5], image_score_deg: [null, null], attribute_score_deg: undefined };
  for (const data of [{ epsilon: [0] }, { epsilon: [] }, gaps]) {
    const scales = plotScales(data, 0);
    assert.ok([scales.x(scales.end), scales.y(0), scales.epsilonAt(30)].every(Number.isFinite));
    close([scales.bottom, scales.top], [0, 1.06]);
  }
});

test("a curve is one line through its steps", () => {
  const scales = { x: (value) => 10 * value, y: (value) => 100 - value };
  assert.equal(curvePath(sweep(), [0, 20, 40.04], scales), "M0.0 100.0L50.0 80.0L100.0 60.0");
});

test("a curve breaks where a value or an ε is not known", () => {
  const scales = { x: (value) => value, y: (value) => value };
  const data = { epsilon: [0, 1, 2, null, 4] };
  assert.equal(curvePath(data, [1, null, 2, 3, 4], scales), "M0.0 1.0M2.0 2.0M4.0 4.0");
  assert.equal(curvePath(data, [null, null, null, null, null], scales), "");
  assert.equal(curvePath(data, undefined, scales), "");
});

test("the labels stand at the ends of their curves", () => {
  const data = sweep();
  const scales = plotScales(data, WIDTH);
  assert.deepEqual(curveLabels(data, scales), [
    { text: "IS", y: scales.y(40) + 5 },
    { text: "AS", y: scales.y(10) + 5 },
  ]);
});

test("labels that would touch are pushed apart, the higher curve's upwards", () => {
  const scales = { y: (value) => 200 - value };
  const gap = (image, attribute) => {
    const [is, as] = curveLabels({ image_score_deg: [image], attribute_score_deg: [attribute] }, scales);
    return [is.y, as.y];
  };
  assert.deepEqual(gap(50, 40), [151, 169]);
  assert.deepEqual(gap(40, 50), [169, 151]);
  assert.deepEqual(gap(40, 40), [156, 174]);
  assert.deepEqual(gap(58, 40), [147, 165]);
});

test("a label stands at the last value that is known, and a curve without any has none", () => {
  const scales = { y: (value) => value };
  const data = { image_score_deg: [1, 30, null], attribute_score_deg: [null] };
  assert.deepEqual(curveLabels(data, scales), [{ text: "IS", y: 35 }]);
  assert.deepEqual(curveLabels({}, scales), []);
});

test("the target's label stands where the curve leaves room", () => {
  const scales = { x: (value) => 50 * value, y: (value) => 200 - value };
  const mark = (index) =>
    targetMark({ epsilon: [0, 2, 4], target: { reachable: true, index, image_score_deg: 40 } }, scales);
  assert.deepEqual(mark(1), { x: 100, y: 160, label: { x: 111, y: 180, anchor: "start", text: "IS = 40°" } });
  assert.deepEqual(mark(2), { x: 200, y: 160, label: { x: 189, y: 154, anchor: "end", text: "IS = 40°" } });
});

test("a target that is not reached, or not known, has no mark", () => {
  const scales = plotScales(sweep(), WIDTH);
  const wanted = { reachable: true, index: 1, image_score_deg: 20 };
  assert.ok(targetMark(sweep({ target: wanted }), scales));
  for (const gap of [{ reachable: false }, { index: null }, { index: 9 }, { image_score_deg: null }]) {
    assert.equal(targetMark(sweep({ target: { ...wanted, ...gap } }), scales), null);
  }
  assert.equal(targetMark(sweep(), scales), null);
});
