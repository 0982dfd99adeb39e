import assert from "node:assert/strict";
import test from "node:test";

import { angleTicks, endTick, shownAt, stepAt } from "../../pages/_view/scrubber/squares.mjs";

const sweep = (scores, rest = {}) => ({ epsilon: scores.map((_, step) => step), image_score_deg: scores, ...rest });
const angles = (data) => angleTicks(data).map(({ angle }) => angle);

test("the ticks stand where the sweep reaches their angles", () => {
  const ticks = angleTicks(sweep([0, 5, 10, 20.04, 39.96, 50]));
  assert.deepEqual(ticks.map(({ angle, index }) => [angle, index]), [[0, 0], [10, 2], [20, 3], [40, 4]]);
  assert.deepEqual(ticks.map(({ at }) => at), [0, 0.4, 0.6, 0.8]);
});

test("an angle that no step reads has no tick", () => {
  assert.deepEqual(angles(sweep([0, 9.6, 10.4, 20])), [0, 20]);
  assert.deepEqual(angles(sweep([0, 9.94, 20.06])), [0]);
  assert.deepEqual(angles(sweep([0, 2])), [0]);
  assert.deepEqual(angles(sweep([])), []);
});

test("the wanted angle has a tick of its own, in place of one that would touch it", () => {
  const target = (image_score_deg, index) => ({ target: { reachable: true, image_score_deg, index } });
  assert.deepEqual(angles(sweep([0, 10, 20, 25, 40], target(25, 3))), [0, 10, 20, 40, 25]);
  assert.deepEqual(angles(sweep([0, 10, 20, 38, 40], target(38, 3))), [0, 10, 20, 38]);
  assert.deepEqual(angles(sweep([0, 10, 20, 30, 40], target(40, 4))), [0, 10, 20, 40]);
  assert.deepEqual(angles(sweep([0, 10], { target: { reachable: false, image_score_deg: 60 } })), [0, 10]);
});

test("the far end has a mark of its own where no other is near it", () => {
  const { angle, index, room } = endTick(sweep([0, 10, 20, 40, 50, 61.6]));
  assert.deepEqual([angle, index], [61.6, 5]);
  assert.ok(Math.abs(room - 0.4) < 1e-9);
  assert.equal(endTick(sweep([0, 10, 20, 40])), null, "the last mark is the end");
  assert.equal(endTick(sweep([0, 5, null])), null);
  assert.equal(endTick(sweep([0])), null);
  assert.equal(endTick(sweep([])), null);
  const many = Array.from({ length: 101 }, (_, step) => step * 0.42);
  many[96] = 40;
  assert.equal(endTick(sweep(many)), null, "a mark that touches it tells enough");
});

test("a step is the nearest to its angle, whatever is not known beside it", () => {
  assert.equal(stepAt([0, null, 12, 30], 10), 2);
  assert.equal(stepAt([null], 10), null);
});

test("the feature's own picture stands for no equivalent", () => {
  const own = { index: 0, src: "data:image/png,0" };
  assert.equal(shownAt([own], 7), null);
  assert.equal(shownAt([own], 0).over, own);
  assert.equal(shownAt([], 0), null);
  const later = { index: 8, src: "data:image/png,8" };
  assert.deepEqual([shownAt([own, later], 4).blend, shownAt([own, later], 8).over], [0.5, later]);
});
