import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { followSkip } from "../../pages/_view/scrubber/skip.mjs";

// A page whose one listener is called by hand, and a click on what `closest` answers for.
let listener = null;
let focused = 0;
const range = { focus: () => (focused += 1) };
const click = (link) => {
  const event = { target: { closest: () => link }, stopped: 0, preventDefault: () => (event.stopped += 1) };
  listener?.(event);
  return event.stopped;
};

beforeEach(() => {
  [listener, focused] = [null, 0];
  globalThis.document = {
    addEventListener: (_, follow) => (listener = follow),
    removeEventListener: (_, follow) => follow === listener && (listener = null),
  };
});

test("the page's link gives the slider the focus and leaves the address alone", () => {
  followSkip(range);
  assert.deepEqual([click({}), focused], [1, 1]);
});

test("any other click is left alone", () => {
  followSkip(range);
  assert.deepEqual([click(null), focused], [0, 0]);
});

test("a slider that is gone listens no more", () => {
  followSkip(range)();
  assert.deepEqual([click({}), focused], [0, 0]);
});
