import assert from "node:assert/strict";
import test from "node:test";

import { boundedStep, messageOf, nearestStep, shareBefore } from "../../pages/_view/scrubber/steps.mjs";

test("the nearest step is the nearest by ε, however uneven the steps are", () => {
  const epsilons = [0, 0.1, 1, 10];
  assert.equal(nearestStep(epsilons, 0.04), 0);
  assert.equal(nearestStep(epsilons, 0.06), 1);
  assert.equal(nearestStep(epsilons, 0.54), 1);
  assert.equal(nearestStep(epsilons, 0.56), 2);
  assert.equal(nearestStep(epsilons, 5.6), 3);
});

test("every ε is nearest to itself", () => {
  const epsilons = Array.from({ length: 81 }, (_, step) => 0.1 * step);
  epsilons.forEach((epsilon, step) => assert.equal(nearestStep(epsilons, epsilon), step));
});

test("beyond the ends the nearest step is the end", () => {
  assert.equal(nearestStep([0, 1, 2], -7), 0);
  assert.equal(nearestStep([0, 1, 2], 99), 2);
});

test("of two equally near steps the first is taken", () => {
  assert.equal(nearestStep([0, 1, 2], 0.5), 0);
  assert.equal(nearestStep([0, 1, 1], 1), 1);
});

test("an ε that is not known is never the nearest", () => {
  assert.equal(nearestStep([null, 1, 2], 0), 1);
  assert.equal(nearestStep([0, undefined, 2], 1.4), 2);
  assert.equal(nearestStep([null, NaN], 1), 0);
});

test("one step or none is step 0", () => {
  assert.equal(nearestStep([3], 100), 0);
  assert.equal(nearestStep([], 1), 0);
});

test("a wish becomes a whole step of the sweep", () => {
  assert.equal(boundedStep(20, 81), 20);
  assert.equal(boundedStep(20.4, 81), 20);
  assert.equal(boundedStep("7", 81), 7);
  assert.equal(boundedStep(-1, 81), 0);
  assert.equal(boundedStep(81, 81), 80);
  assert.equal(boundedStep(Infinity, 81), 80);
});

test("a wish that is no number is the first step", () => {
  for (const wish of [undefined, null, NaN, "fox"]) assert.equal(boundedStep(wish, 81), 0);
  assert.equal(boundedStep(5, 0), 0);
});

test("the share before a step runs from 0 to 1, and is 0 where there is nothing to move", () => {
  assert.deepEqual([0, 40, 80].map((index) => shareBefore(index, 81)), [0, 0.5, 1]);
  assert.equal(shareBefore(0, 1), 0);
  assert.equal(shareBefore(0, 0), 0);
});

test("a release says the sweep and its ε", () => {
  const data = { sweep_id: "a", epsilon: [0, 0.5, null] };
  assert.deepEqual(messageOf(data, 1, 0), { sweep_id: "a", value: 0.5 });
  assert.deepEqual(messageOf(data, 0, 1), { sweep_id: "a", value: 0 });
});

test("a release says nothing twice, and nothing that is no number", () => {
  const data = { sweep_id: "a", epsilon: [0, 0.5, null] };
  assert.equal(messageOf(data, 1, 1), null);
  assert.equal(messageOf(data, 2, 0), null);
  assert.equal(messageOf(data, 3, 0), null);
  assert.equal(messageOf({ sweep_id: "a", epsilon: [] }, 0, 1), null);
});
