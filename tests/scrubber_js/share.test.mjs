import assert from "node:assert/strict";
import test from "node:test";

import { linkTo } from "../../pages/_view/scrubber/share.mjs";

const data = { epsilon: [0, 1.23456789, 20] };
const PAGE = "http://localhost:8501/?prompt=a+red+car&eps=20";

test("the link is the page's own where the slider stands where it was let go", () => {
  assert.equal(linkTo(PAGE, { data, index: 2, sent: 2 }), PAGE);
});

test("a step that was not yet let go is in the link, as the server would write it", () => {
  const link = new URL(linkTo(PAGE, { data, index: 1, sent: 2 }));
  assert.deepEqual([link.searchParams.get("eps"), link.searchParams.get("prompt")], ["1.23457", "a red car"]);
});

test("a step without a number is not put into the link", () => {
  assert.equal(linkTo(PAGE, { data: { epsilon: [null, 1] }, index: 0, sent: 1 }), PAGE);
});
