import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { KEY_PAUSE_MS, POINTER_PAUSE_MS, createHand, followRange } from "../../pages/_view/scrubber/hand.mjs";

let range; // an EventTarget with a value, which is all that the hand needs of an <input>
let visited;
let released;

const does = (...names) => names.forEach((name) => range.dispatchEvent(new Event(name)));
const pass = (ms) => mock.timers.tick(ms);
const moveTo = (value) => {
  range.value = String(value);
  does("input");
};

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  range = new EventTarget();
  [visited, released] = [[], 0];
  followRange(range, createHand(() => (released += 1)), (index) => visited.push(index));
});

test("a key moves at once and releases once, after a pause", () => {
  does("keydown");
  moveTo(21);
  does("change", "keyup");
  assert.deepEqual([visited, released], [[21], 0]);
  pass(KEY_PAUSE_MS - 1);
  assert.equal(released, 0);
  pass(1);
  assert.equal(released, 1);
  pass(10 * KEY_PAUSE_MS);
  assert.equal(released, 1);
});

test("each further key begins the pause anew", () => {
  for (const index of [21, 22, 23]) {
    does("keydown");
    moveTo(index);
    does("keyup");
    pass(KEY_PAUSE_MS - 1);
  }
  assert.deepEqual([visited, released], [[21, 22, 23], 0]);
  pass(1);
  assert.equal(released, 1);
});

test("a key held down releases nothing until it is let go", () => {
  for (let index = 1; index <= 30; index += 1) {
    does("keydown");
    moveTo(index);
    does("change");
    pass(100);
  }
  pass(10_000);
  assert.deepEqual([visited.length, released], [30, 0]);
  does("keyup");
  pass(KEY_PAUSE_MS);
  assert.equal(released, 1);
});

test("dragging releases nothing, however long, and letting go releases once", () => {
  does("pointerdown");
  for (let index = 0; index < 500; index += 1) {
    moveTo(index);
    pass(16);
  }
  pass(10_000);
  assert.deepEqual([visited.length, released], [500, 0]);
  does("pointerup", "change");
  pass(POINTER_PAUSE_MS);
  assert.equal(released, 1);
  pass(10_000);
  assert.equal(released, 1);
});

test("a pointer that comes down stops a release that was waiting", () => {
  does("keydown", "keyup");
  pass(KEY_PAUSE_MS - 1);
  does("pointerdown");
  pass(10_000);
  assert.equal(released, 0);
});

test("a drag that ends without a pointerup ends with the range's own change", () => {
  does("pointerdown");
  moveTo(5);
  does("change");
  pass(POINTER_PAUSE_MS);
  assert.equal(released, 1);
});

test("a cancelled pointer lets go", () => {
  does("pointerdown", "pointercancel");
  pass(POINTER_PAUSE_MS);
  assert.equal(released, 1);
});

test("a change by key does not let go of the key", () => {
  does("keydown", "change");
  pass(10_000);
  assert.equal(released, 0);
});

test("leaving the slider lets go of what was held, without a pause", () => {
  does("keydown", "blur");
  pass(1);
  assert.equal(released, 1);
});

test("an assistive tool, which sends neither keys nor pointers, is heard after a pause", () => {
  moveTo(12);
  assert.deepEqual([visited, released], [[12], 0]);
  pass(KEY_PAUSE_MS);
  assert.equal(released, 1);
});

test("the button's release does not wait, and takes the place of one that was waiting", () => {
  const hand = createHand(() => (released += 1));
  hand.wait(KEY_PAUSE_MS);
  hand.now();
  assert.equal(released, 1);
  pass(10_000);
  assert.equal(released, 1);
});

test("nothing is released at once while something is held", () => {
  const hand = createHand(() => (released += 1));
  hand.hold("pointer");
  hand.now();
  hand.wait(0);
  pass(10_000);
  assert.equal(released, 0);
  hand.letGoNow();
  assert.equal(released, 1);
});

test("a new sweep stops a release that was waiting, and the hand works on", () => {
  const hand = createHand(() => (released += 1));
  hand.letGo(KEY_PAUSE_MS);
  hand.stop();
  pass(10_000);
  assert.equal(released, 0);
  hand.letGo(KEY_PAUSE_MS);
  pass(KEY_PAUSE_MS);
  assert.equal(released, 1);
});

test("the hand knows what it holds", () => {
  const hand = createHand(() => {});
  hand.hold("key");
  assert.deepEqual([hand.holds("key"), hand.holds("pointer")], [true, false]);
  hand.letGo(0);
  assert.equal(hand.holds("key"), false);
});
