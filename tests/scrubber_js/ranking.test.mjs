import assert from "node:assert/strict";
import test from "node:test";

import { MOST, barLength, beyondAverage, rankConcepts } from "../../pages/_view/scrubber/ranking.mjs";

const concept = (label, angles, kind = "class") => ({ label, kind, angle_deg: angles });
const sweep = (concepts, count = 2) => ({ epsilon: Array.from({ length: count }, (_, i) => i), concepts });
const labels = (ranking) => ranking.steps.map((step) => step.map(({ label }) => label));

test("those that came nearest come first, anew at every step, and those that fell come last", () => {
  const given = [concept("falls", [60, 70, 61]), concept("rises", [70, 50, 69]), concept("stays", [65, 65, 40])];
  assert.deepEqual(labels(rankConcepts(sweep(given, 3))).slice(1), [
    ["rises", "stays", "falls"],
    ["stays", "rises", "falls"],
  ]);
});

test("the prompt is pinned above those that rise more and wherever the server put it", () => {
  const prompt = concept("fox", [85, 85], "prompt");
  const ranking = rankConcepts(sweep([concept("cat", [50, 50]), prompt, concept("dog", [60, 40])]));
  assert.deepEqual(labels(ranking)[1], ["fox", "dog", "cat"]);
});

test("only the first prompt is pinned", () => {
  const two = [concept("one", [70, 70], "prompt"), concept("two", [50, 50], "prompt"), concept("cat", [40, 30])];
  assert.deepEqual(labels(rankConcepts(sweep(two)))[1], ["one", "cat", "two"]);
});

test("five that rise most and five that fall most are kept beside the prompt, none twice", () => {
  const many = Array.from({ length: 40 }, (_, i) => concept(`c${i}`, [70, 50 + i]));
  const ranking = rankConcepts(sweep([concept("fox", [89, 89], "prompt"), ...many]));
  assert.equal(MOST, 5);
  const shown = ["fox", ...[0, 1, 2, 3, 4, 35, 36, 37, 38, 39].map((i) => `c${i}`)];
  assert.deepEqual(labels(ranking)[1], shown);
  const few = rankConcepts(sweep(many.slice(0, 7)));
  assert.equal(new Set(labels(few)[1]).size, 7);
});

test("equally moved concepts keep the server's order", () => {
  const same = ["a", "b", "c"].map((label) => concept(label, [60, 60]));
  assert.deepEqual(labels(rankConcepts(sweep(same)))[1], ["a", "b", "c"]);
});

test("what moved is counted from the average concept", () => {
  const data = { average_score_deg: [0, 3] };
  assert.equal(beyondAverage(data, concept("cat", [60, 50]), 1), 7);
  assert.equal(beyondAverage({}, concept("cat", [60, 50]), 1), 10);
  assert.equal(beyondAverage(data, concept("cat", [60, null]), 1), null);
});

test("a concept without an angle at a step is left out there and comes back", () => {
  const ranking = rankConcepts(sweep([concept("gap", [50, null, 40]), concept("whole", [50, 50, 50])], 3));
  assert.deepEqual(labels(ranking), [["gap", "whole"], ["whole"], ["gap", "whole"]]);
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
  const five = (now) => Array.from({ length: 5 }, () => concept("shown", [50, now]));
  const { near, far } = rankConcepts(sweep([...five(46), concept("never", [110, 109]), ...five(58)]));
  assert.deepEqual([near, far], [45, 60]);
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
