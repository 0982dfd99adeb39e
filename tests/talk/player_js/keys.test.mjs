import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, keyWords } from "../../../sing_core/talk/player/keys.mjs";

test("a presenter's remote and the letters do the same", () => {
  assert.deepEqual(actionOf({ key: "PageDown" }, true), actionOf({ key: "n" }, true));
  assert.deepEqual(actionOf({ key: "PageUp" }, true), actionOf({ key: "P" }, true));
});

test("keys with Ctrl, Alt or Cmd are the browser's own", () => {
  for (const held of ["ctrlKey", "altKey", "metaKey"]) {
    assert.equal(actionOf({ key: "n", [held]: true }, true), null);
  }
});

test("without a server there is no prompt, no upload and no second window", () => {
  for (const key of ["t", "u", "w"]) {
    assert.notEqual(actionOf({ key }, true), null);
    assert.equal(actionOf({ key }, false), null);
  }
  const listed = keyWords(false).map(([key]) => key);
  assert.ok(!listed.includes("T") && listed.includes("B") && keyWords(true).length === 12);
});

test("every key that the notes list does something", () => {
  const single = keyWords(true).flatMap(([keys]) => keys.split(" "));
  const real = { "←": "ArrowLeft", "→": "ArrowRight", Esc: "Escape" };
  for (const key of single) assert.ok(actionOf({ key: real[key] ?? key }, true), key);
  assert.equal(actionOf({ key: "x" }, true), null);
});
