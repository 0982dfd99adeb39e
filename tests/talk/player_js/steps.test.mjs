import assert from "node:assert/strict";
import { test } from "node:test";
import { arrowStep, blendAt, bounded, glide, indexOfDegrees, nearer, ticks } from "../../../sing_core/talk/player/steps.mjs";

const scene = (image_score_deg) => ({ image_score_deg, epsilon: image_score_deg.map((_, i) => i) });

test("a key of degrees goes to the nearest step, and to the end where none is that far", () => {
  const far = scene([0, 9.8, 11, 20.3, 39.9]);
  assert.deepEqual([0, 10, 20, 40].map((wanted) => indexOfDegrees(far, wanted)), [0, 1, 3, 4]);
  assert.equal(indexOfDegrees(scene([0, 5, 12]), 40), 2);
});

test("a tick stands only where a step comes near its score", () => {
  assert.deepEqual(ticks(scene([0, 5, 10.5])).map(({ wanted, share }) => [wanted, share]), [[0, 0], [10, 1]]);
});

test("a tick is exact where its step reads the very score, to the digit that is shown", () => {
  const found = ticks(scene([0, 9.6, 20.04, 40]));
  assert.deepEqual(found.map(({ wanted, exact }) => [wanted, exact]), [[0, true], [10, false], [20, true], [40, true]]);
});

test("every wish becomes a step of the scene", () => {
  const four = scene([0, 1, 2, 3]);
  assert.deepEqual([-3, 1.4, 99, NaN].map((wish) => bounded(wish, four)), [0, 1, 3, 0]);
  assert.equal(arrowStep(four), 1);
  assert.equal(arrowStep(scene(Array(121).fill(0))), 3);
});

test("a glide starts where it is, ends where it goes, and never turns back", () => {
  const path = Array.from({ length: 21 }, (_, i) => glide(0, 40, i / 20));
  assert.deepEqual([path[0], path.at(-1), glide(0, 40, 1.7)], [0, 40, 40]);
  assert.deepEqual([...path].sort((a, b) => a - b), path);
});

test("a step between two pictures shows both, one on a picture that alone", () => {
  assert.deepEqual(blendAt([0, 10], 5), { under: 0, over: 1, share: 0.5 });
  assert.deepEqual(blendAt([0, 10], 10), { under: 0, over: 1, share: 1 });
  assert.deepEqual(blendAt([0, 10], 0), { under: 0, over: 0, share: 1 });
  assert.equal(blendAt([], 3), null);
  assert.equal(nearer(blendAt([0, 10], 3)), 0);
});
