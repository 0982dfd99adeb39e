import assert from "node:assert/strict";
import test from "node:test";

import { at, clamp, isNumber } from "../../pages/_view/scrubber/numbers.mjs";
import * as words from "../../pages/_view/scrubber/words.mjs";

const MINUS = "\u2212";
const UNKNOWN = [null, undefined, NaN, Infinity, "3"];

test("a number is finite; a text, a gap and an infinity are none", () => {
  assert.ok(isNumber(0) && isNumber(-1.5));
  for (const value of UNKNOWN) assert.equal(isNumber(value), false);
});

test("a value is kept between its ends", () => {
  assert.deepEqual([-1, 0.5, 2].map((value) => clamp(value, 0, 1)), [0, 0.5, 1]);
});

test("what is no list has nothing at any place", () => {
  assert.equal(at([7], 0), 7);
  for (const list of [undefined, null, "fox", {}]) assert.equal(at(list, 0), undefined);
  assert.equal(at([7], undefined), undefined);
});

test("every way to write a number has the same dash for what is none", () => {
  for (const write of Object.values(words).filter((value) => typeof value === "function")) {
    for (const value of UNKNOWN) assert.equal(write(value, 1), words.NONE, `${write.name}(${value})`);
  }
  assert.equal(words.NONE, "–");
});

test("a fixed number has its digits and a true minus", () => {
  assert.equal(words.fixed(3.14159, 2), "3.14");
  assert.equal(words.fixed(2, 2), "2.00");
  assert.equal(words.fixed(-7.25, 1), `${MINUS}7.3`);
});

test("a signed number always has a sign, and zero never a minus", () => {
  assert.equal(words.signed(6.31, 1), "+6.3");
  assert.equal(words.signed(-6.31, 1), `${MINUS}6.3`);
  assert.equal(words.signed(0, 1), "+0.0");
  assert.equal(words.signed(-0.04, 1), "+0.0");
  assert.equal(words.signed(-0.06, 1), `${MINUS}0.1`);
});

test("degrees have one digit and their sign where it says something", () => {
  assert.equal(words.degrees(24.06), "24.1°");
  assert.equal(words.signedDegrees(24.06), "+24.1°");
  assert.equal(words.signedDegrees(-24.06), `${MINUS}24.1°`);
});

test("a plain number has no digits that say nothing", () => {
  assert.equal(words.plain(40, 1), "40");
  assert.equal(words.plain(2.5000000001, 6), "2.5");
  assert.equal(words.plain(0.30000000000000004, 6), "0.3");
  assert.equal(words.plain(-0, 4), "0");
  assert.equal(words.plainDegrees(-10, 4), `${MINUS}10°`);
  assert.equal(words.plainDegrees(39.96, 1), "40°");
});

test("a brief number has the three digits that count", () => {
  assert.equal(words.brief(15.5918), "15.6");
  assert.equal(words.brief(0.0053042), "0.0053");
  assert.equal(words.brief(1234), "1230");
  assert.equal(words.brief(0), "0");
});

test("a scientific number has one digit and two of exponent", () => {
  assert.equal(words.scientific(2.4e-7), "2e-07");
  assert.equal(words.scientific(0.5), "5e-01");
  assert.equal(words.scientific(12), "1e+01");
  assert.equal(words.scientific(3e-120), "3e-120");
  assert.equal(words.scientific(0), "0");
});
