import assert from "node:assert/strict";
import test from "node:test";

import { ticks } from "../../pages/_view/scrubber/ticks.mjs";

const near = (found, wanted) => {
  assert.equal(found.length, wanted.length, `${found} for ${wanted}`);
  found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-9, `${found} for ${wanted}`));
};

test("a range of degrees gets round steps", () => {
  near(ticks(0, 60, 4), [0, 20, 40, 60]);
  near(ticks(0, 8, 8), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  near(ticks(0, 10, 4), [0, 2.5, 5, 7.5, 10]);
});

test("a range that begins below zero has a tick on zero", () => {
  near(ticks(-7, 33, 4), [0, 10, 20, 30]);
  near(ticks(-12.4, 7.1, 4), [-10, -5, 0, 5]);
});

test("an end that rounding moved is still an end", () => {
  near(ticks(0, 0.1 + 0.2, 3), [0, 0.1, 0.2, 0.3]);
  near(ticks(0.1 * 3, 0.6, 3), [0.3, 0.4, 0.5, 0.6]);
  near(ticks(0, 0.1 * 3 - 1e-16, 3), [0, 0.1, 0.2, 0.3]);
});

test("small and large ranges keep round steps", () => {
  near(ticks(0, 0.003, 3), [0, 0.001, 0.002, 0.003]);
  near(ticks(0, 20000, 4), [0, 5000, 10000, 15000, 20000]);
});

test("every range has few ticks, all inside it, evenly apart and round", () => {
  for (const low of [-40, -3.3, 0, 0.7]) {
    for (const span of [0.011, 0.5, 1, 7.77, 63, 912]) {
      for (const count of [4, 8]) {
        const found = ticks(low, low + span, count);
        const step = found[1] - found[0];
        assert.ok(found.length >= 2 && found.length <= count + 1, `${low}+${span}: ${found}`);
        assert.ok(found[0] >= low - 1e-6 * span && found.at(-1) <= low + span * (1 + 1e-6));
        found.slice(1).forEach((value, i) => assert.ok(Math.abs(value - found[i] - step) < 1e-9 * span + 1e-12));
        const digits = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
        assert.ok([1, 2, 2.5, 5].some((unit) => Math.abs(unit - digits) < 1e-6), `step ${step}`);
      }
    }
  }
});

test("no range has no ticks", () => {
  assert.deepEqual(ticks(3, 3, 4), []);
  assert.deepEqual(ticks(5, 3, 4), []);
  assert.deepEqual(ticks(0, NaN, 4), []);
  assert.deepEqual(ticks(0, Infinity, 4), []);
});
