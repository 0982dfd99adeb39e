import assert from "node:assert/strict";
import test from "node:test";

import { NEAREST, barLength, rankConcepts } from "../../pages/_view/scrubber/ranking.mjs";

const concept = (label, angles, kind = "class") => ({ label, kind, angle_deg: angles });
const sweep = (concepts, count = 2) => ({ epsilon: Array.from({ length: count }, (_, i) => i), concepts });
const labels = (ranking) => ranking.steps.map((step) => step.map(({ label }) => label));

test("the concepts follow by nearness, anew at every step", () => {
  const ranking = rankConcepts(sweep([concept("far", [80, 60]), concept("near", [50, 70]), concept("mid", [65, 65])]));
  assert.deepEqual(labels(ranking), [["near", "mid", "far"], ["far", "mid", "near"]]);
});

test("the prompt is pinned above nearer concepts and wherever the server put it", () => {
  const prompt = concept("fox", [85, 85], "prompt");
  const ranking = rankConcepts(sweep([concept("cat", [50, 50]), prompt, concept("dog", [40, 60])]));
  assert.deepEqual(labels(ranking), [["fox", "dog", "cat"], ["fox", "cat", "dog"]]);
});

test("only the first prompt is pinned", () => {
  const two = [concept("one", [70, 70], "prompt"), concept("two", [50, 50], "prompt"), concept("cat", [40, 40])];
  assert.deepEqual(labels(rankConcepts(sweep(two)))[0], ["one", "cat", "two"]);
});

test("ten concepts are kept beside the prompt, and they are the nearest ten", () => {
  const many = Array.from({ length: 40 }, (_, i) => concept(`c${i}`, [90 - i, 50 + i]));
  const ranking = rankConcepts(sweep([concept("fox", [89, 89], "prompt"), ...many]));
  assert.equal(NEAREST, 10);
  assert.deepEqual(labels(ranking)[0], ["fox", ...Array.from({ length: 10 }, (_, i) => `c${39 - i}`)]);
  assert.deepEqual(labels(ranking)[1], ["fox", ...Array.from({ length: 10 }, (_, i) => `c${i}`)]);
});

test("equally near concepts keep the server's order", () => {
  const same = ["a", "b", "c"].map((label) => concept(label, [60, 60]));
  assert.deepEqual(labels(rankConcepts(sweep(same)))[1], ["a", "b", "c"]);
});

test("a concept without an angle at a step is left out there and comes back", () => {
  const ranking = rankConcepts(sweep([concept("gap", [null, 40]), concept("short", [55]), concept("whole", [50, 50])]));
  assert.deepEqual(labels(ranking), [["whole", "short"], ["gap", "whole"]]);
});

test("a prompt without an angle keeps its row", () => {
  assert.deepEqual(labels(rankConcepts(sweep([concept("fox", [null, 70], "prompt")]))), [["fox"], ["fox"]]);
});

test("what is no concept is passed over", () => {
  const ranking = rankConcepts(sweep([null, { label: "bare" }, concept("cat", [50, 50])]));
  assert.deepEqual(labels(ranking), [["cat"], ["cat"]]);
});

test("no concepts, no list and no steps give an empty ranking on the scale 0 to 90", () => {
  for (const concepts of [[], undefined, "fox"]) {
    assert.deepEqual(rankConcepts(sweep(concepts)), { steps: [[], []], near: 0, far: 90 });
  }
  assert.deepEqual(rankConcepts(sweep([concept("cat", [])], 0)), { steps: [], near: 0, far: 90 });
});

test("ranking leaves the server's list as it was", () => {
  const given = [concept("far", [80, 80]), concept("near", [50, 50])];
  rankConcepts(sweep(given));
  assert.deepEqual(given.map(({ label }) => label), ["far", "near"]);
});

test("the scale is in round fives with a degree of air on both sides", () => {
  const scale = (...angles) => {
    const { near, far } = rankConcepts(sweep(angles.map((angle) => concept("c", [angle])), 1));
    return [near, far];
  };
  assert.deepEqual(scale(62, 78), [60, 80]);
  assert.deepEqual(scale(60.5, 79.5), [55, 85]);
  assert.deepEqual(scale(61, 79), [60, 80]);
  assert.deepEqual(scale(0.2, 30), [0, 35]);
});

test("the scale is one for the whole sweep, and only of concepts that are shown", () => {
  const near = Array.from({ length: 10 }, () => concept("near", [50, 58]));
  const { near: low, far } = rankConcepts(sweep([...near, concept("never", [110, 5 + 60])]));
  assert.deepEqual([low, far], [45, 60]);
});

test("many concepts over many steps do not run out of stack", () => {
  const angles = Array.from({ length: 200 }, (_, step) => 60 + (step % 7));
  const spread = (i) => angles.map((angle, step) => angle + ((i * 37 + step * 11) % 1000) / 50);
  const many = Array.from({ length: 1000 }, (_, i) => concept(`c${i}`, spread(i)));
  const ranking = rankConcepts(sweep(many, 200));
  assert.equal(ranking.steps.length, 200);
  assert.ok(ranking.near < ranking.far);
});

test("a longer bar is nearer", () => {
  const scale = { near: 50, far: 90 };
  assert.deepEqual([50, 60, 90].map((angle) => barLength(angle, scale)), [1, 0.75, 0]);
});

test("a bar never leaves its track, and what is not known has none", () => {
  const scale = { near: 50, far: 90 };
  assert.equal(barLength(10, scale), 1);
  assert.equal(barLength(120, scale), 0);
  for (const angle of [null, undefined, NaN]) assert.equal(barLength(angle, scale), 0);
});
