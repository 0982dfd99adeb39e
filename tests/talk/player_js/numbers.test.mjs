import assert from "node:assert/strict";
import { test } from "node:test";
import { clamp, isNumber, last } from "../../../sing_core/talk/player/numbers.mjs";

test("only finite numbers are numbers", () => {
  assert.deepEqual([1, 0, null, NaN, "1", Infinity].map(isNumber), [true, true, false, false, false, false]);
});

test("clamping keeps to the ends, and last is an index", () => {
  assert.deepEqual([clamp(5, 0, 3), clamp(-1, 0, 3), last([7, 8])], [3, 0, 1]);
});
