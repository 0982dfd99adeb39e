import assert from "node:assert/strict";
import test from "node:test";

import { blendAt, usableFrames } from "../../pages/_view/scrubber/pictures.mjs";

const frame = (index, src = `data:image/png,${index}`) => ({ index, src });
const frames = [frame(0), frame(40), frame(80)];
const blended = (index, given = frames) => {
  const { under, over, blend } = blendAt(given, index);
  return [under.index, over.index, blend];
};

test("between two pictures the blend is the share of the way", () => {
  assert.deepEqual(blended(20), [0, 40, 0.5]);
  assert.deepEqual(blended(10), [0, 40, 0.25]);
  assert.deepEqual(blended(70), [40, 80, 0.75]);
});

test("on a picture that picture alone is seen", () => {
  assert.deepEqual(blended(0), [0, 0, 1]);
  assert.deepEqual(blended(40), [0, 40, 1]);
  assert.deepEqual(blended(80), [40, 80, 1]);
});

test("before the first and beyond the last picture that one stands", () => {
  const inner = [frame(10), frame(20)];
  assert.deepEqual(blended(3, inner), [10, 10, 1]);
  assert.deepEqual(blended(33, inner), [20, 20, 1]);
  assert.deepEqual(blended(7, [frame(5)]), [5, 5, 1]);
});

test("no pictures, no blend", () => assert.equal(blendAt([], 3), null));

test("pictures are put in order, and the server's list is left as it was", () => {
  const given = [frame(80), frame(0), frame(40)];
  assert.deepEqual(usableFrames(given).map(({ index }) => index), [0, 40, 80]);
  assert.deepEqual(given.map(({ index }) => index), [80, 0, 40]);
});

test("only a picture that the page brought itself is shown", () => {
  const given = [frame(0, "https://example.org/a.png"), frame(1, "javascript:alert(1)"), frame(2, "data:text/html,x"), frame(3)];
  assert.deepEqual(usableFrames(given).map(({ index }) => index), [3]);
});

test("what is no picture is passed over", () => {
  for (const given of [undefined, null, "data:image/png", [null, {}, { index: 1 }]]) {
    assert.deepEqual(usableFrames(given), []);
  }
});
