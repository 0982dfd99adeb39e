import assert from "node:assert/strict";
import { test } from "node:test";
import { count, degrees, percent, signedDegrees, small } from "../../../sing_core/talk/player/words.mjs";

test("angles have one digit and a real minus", () => {
  assert.equal(degrees(40), "40.0°");
  assert.equal(degrees(40.4, 0), "40°");
  assert.equal(signedDegrees(-1.26), "\u22121.3°");
  assert.equal(signedDegrees(-0.01), "+0.0°");
});

test("a small number is written out for a room", () => {
  assert.equal(small(0.0000018), "0.000002");
  assert.equal(small(9.5e-7), "0.000001");
  assert.equal(small(0.27), "0.3");
  assert.equal(small(5.04), "5.0");
  assert.equal(small(0), "0");
});

test("what is no number is a dash", () => {
  for (const word of [degrees, signedDegrees, percent, count, small]) assert.equal(word(null), "–");
});
