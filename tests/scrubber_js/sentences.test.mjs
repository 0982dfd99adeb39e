import assert from "node:assert/strict";
import test from "node:test";

import * as sentences from "../../pages/_view/scrubber/sentences.mjs";

const sweep = {
  mode: "steer",
  prompt: "an image of a red fox",
  epsilon: [0, 3.2],
  image_score_deg: [0, 24.06],
  attribute_score_deg: [0, -6.31],
  average_score_deg: [0, 2.4],
  max_logit_drift: [1e-6, 4e-3],
  max_abs_logit: 12.3,
  drift_budget: 1e-5,
  before: { label: "Egyptian cat", probability: 0.711 },
  after: { label: "lynx", probability: 0.5, index: 1 },
  prompt_rank: [1491, 9],
  concept_count: 1500,
  feature_norm: 15.5918,
};

test("a step is spoken with its units", () => {
  assert.equal(sentences.spoken(sweep, 1), "ε 3.20, image score 24.1 degrees, attribute score \u22126.3 degrees");
  assert.equal(sentences.spoken(sweep, 0), "ε 0.00, image score 0.0 degrees, attribute score +0.0 degrees");
});

test("a score that is not known is spoken as not available", () => {
  const gap = { epsilon: [0], image_score_deg: [null] };
  assert.equal(sentences.spoken(gap, 0), "ε 0.00, image score not available, attribute score not available");
});

test("no class has a probability of 0, however small it is", () => {
  const said = (probability) => sentences.saysBefore({ before: { label: "lynx", probability } });
  assert.equal(said(0.711), "lynx 71 %");
  assert.equal(said(0.0051), "lynx 1 %");
  assert.equal(said(0.0049), "lynx < 1 %");
  const low = { ...sweep, before: { label: "lynx", probability: 0.002 } };
  assert.match(sentences.plainSentence(low, 0), /“lynx” \(< 1 %\)/);
});

test("the mode says which way and names the prompt", () => {
  assert.equal(sentences.modeWords(sweep), "Steering towards “an image of a red fox”");
  assert.equal(
    sentences.modeWords({ ...sweep, mode: "remove" }),
    "Removing the null part; AS is towards “an image of a red fox”",
  );
  assert.equal(sentences.modeWords({}), "Steering towards “”");
});

test("the decision stands up to the budget, the budget itself included", () => {
  const said = (drift, rest = {}) => sentences.decisionWords({ ...sweep, max_logit_drift: [drift], ...rest }, 0);
  const within = "of largest logit 12.3: the decision stands";
  const beyond = "of largest logit 12.3: too large to say that the decision stands";
  assert.equal(said(0), within);
  assert.equal(said(1e-5 * 12.3), within);
  assert.equal(said(1.001e-5 * 12.3), beyond);
  assert.equal(said(3, { drift_budget: 0.25 }), within);
});

test("the largest logit counts by its size", () => {
  const said = sentences.decisionWords({ ...sweep, max_abs_logit: -12.3 }, 0);
  assert.match(said, /^of largest logit \u221212\.3: the decision stands$/);
});

test("what was not measured is never said to stand", () => {
  const gaps = [{ max_logit_drift: [null] }, { max_logit_drift: undefined }, { max_abs_logit: null }, { drift_budget: null }];
  for (const gap of gaps) {
    assert.match(sentences.decisionWords({ ...sweep, ...gap }, 0), /: not measured$/);
  }
  assert.equal(sentences.decisionWords({}, 0), "of largest logit –: not measured");
});

test("the same logits are the same class; where they drift the released step alone is read", () => {
  const stands = { ...sweep, max_logit_drift: [0, 0] };
  assert.equal(sentences.saysBefore(sweep), "Egyptian cat 71 %");
  assert.equal(sentences.saysAfter(stands, 1), "= Egyptian cat 71 %");
  assert.equal(sentences.saysAfter(sweep, 1), "→ lynx 50 %");
  assert.equal(sentences.saysAfter({ ...sweep, after: { ...sweep.after, index: 0 } }, 1), "let go of the slider to read it");
  assert.equal(sentences.saysAfter({}, 0), "");
  assert.equal(sentences.saysBefore({}), "");
});

test("beside AS stands what it is beyond the average concept, and the prompt's place", () => {
  assert.equal(sentences.beyondWords(sweep, 1), "\u22128.7° beyond the average concept");
  assert.equal(sentences.beyondWords({ ...sweep, average_score_deg: undefined }, 1), "+ is nearer to the prompt");
  assert.equal(sentences.rankWords(sweep, 1), "prompt: nearest no. 9 of 1,500, was 1,491");
  assert.equal(sentences.rankWords(sweep, 0), "prompt: nearest no. 1,491 of 1,500");
  assert.equal(sentences.rankWords({}, 0), "");
});

test("one sentence says in plain words what the place of the slider means", () => {
  const stands = { ...sweep, max_logit_drift: [0, 0] };
  assert.match(sentences.plainSentence(stands, 0), /^Nothing has moved yet: pull the slider/);
  assert.equal(
    sentences.plainSentence(stands, 1),
    "The classifier still says “Egyptian cat” (71 %), although the meaning of the photo’s feature has turned visibly " +
      "(by 24°) and lies 6° further from “an image of a red fox”.",
  );
  const chosen = { ...stands, before: { ...stands.before, among: 16 } };
  assert.match(sentences.plainSentence(chosen, 1), /^Of the 16 chosen classes it still says “Egyptian cat” \(71 %\), although/);
  assert.match(sentences.plainSentence({ ...stands, image_score_deg: [0, 4] }, 1), /turned hardly visibly \(by 4°\)/);
  assert.match(sentences.plainSentence({ ...stands, image_score_deg: [0, 40] }, 1), /turned far \(by 40°\)/);
  assert.match(sentences.plainSentence({ ...stands, attribute_score_deg: [0, 0.2] }, 1), /as near to “an image/);
  assert.match(sentences.plainSentence({ ...stands, attribute_score_deg: [0, 7] }, 1), /7° nearer to “an image/);
});

test("who has not pulled the slider is asked to, where there is something to pull", () => {
  assert.match(sentences.inviteWords(sweep, 1), /^ Pull the slider\.$/);
  assert.equal(sentences.inviteWords(sweep, 0), "", "the sentence of the first step asks for it itself");
  assert.equal(sentences.inviteWords({ epsilon: [0.5] }, 1), "");
});

test("the place of the sentence holds the longest of the sweep", () => {
  const longest = sentences.longestSentence(sweep);
  for (const index of [0, 1]) assert.ok(longest.length >= sentences.plainSentence(sweep, index).length);
  assert.match(longest, /Pull the slider\.$/);
  assert.equal(sentences.longestSentence({ epsilon: [] }), "");
});

test("what may drift is never said to be the same, and what is not known is not made up", () => {
  assert.match(sentences.plainSentence(sweep, 1), /^The classifier’s answer may drift by 0.004, and the meaning/);
  const gap = { ...sweep, image_score_deg: [0, null] };
  assert.equal(sentences.plainSentence(gap, 1), "The scores of this step are not available.");
});

test("the length is said only where it is known", () => {
  assert.equal(sentences.lengthWords(sweep), "length of this photo’s feature |f| = 15.6");
  assert.equal(sentences.lengthWords({ feature_norm: null }), "");
});

test("the wanted image score is a plain number of degrees, or a dash", () => {
  assert.equal(sentences.targetWords({ image_score_deg: 40 }), "IS = 40°");
  assert.equal(sentences.targetWords({ image_score_deg: 12.34 }), "IS = 12.3°");
  for (const target of [undefined, null, {}, { image_score_deg: null }]) {
    assert.equal(sentences.targetWords(target), "IS = –");
  }
});

test("the far end of the slider is called what it is", () => {
  assert.equal(sentences.endWords({ mode: "steer" }), "longest step");
  assert.equal(sentences.endWords({ mode: "remove" }), "all removed");
});
