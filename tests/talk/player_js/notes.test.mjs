import assert from "node:assert/strict";
import { test } from "node:test";
import { clock } from "../../../sing_core/talk/player/notes.mjs";

test("the speaker's clock counts minutes", () => assert.equal(clock(754_300), "12:34"));
test("and starts at nought", () => assert.equal(clock(0), "0:00"));
