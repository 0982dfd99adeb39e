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
  decision: "Egyptian cat · 71 %",
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
  const within = "of largest logit 12.3 — decision stands: Egyptian cat · 71 %";
  const beyond = "of largest logit 12.3 — too large to say that the decision stands: Egyptian cat · 71 %";
  assert.equal(said(0), within);
  assert.equal(said(1e-5 * 12.3), within);
  assert.equal(said(1.001e-5 * 12.3), beyond);
  assert.equal(said(3, { drift_budget: 0.25 }), within);
});

test("the largest logit counts by its size", () => {
  const said = sentences.decisionWords({ ...sweep, max_abs_logit: -12.3 }, 0);
  assert.match(said, /^of largest logit \u221212\.3 — decision stands:/);
});

test("what was not measured is never said to stand", () => {
  const gaps = [{ max_logit_drift: [null] }, { max_logit_drift: undefined }, { max_abs_logit: null }, { drift_budget: null }];
  for (const gap of gaps) {
    assert.match(sentences.decisionWords({ ...sweep, ...gap }, 0), / — not measured: Egyptian cat · 71 %$/);
  }
  assert.equal(sentences.decisionWords({}, 0), "of largest logit – — not measured: –");
});

test("the average concept and the length are said only where they are known", () => {
  assert.equal(sentences.averageWords(sweep, 1), "average concept +2.4°");
  assert.equal(sentences.averageWords({ ...sweep, average_score_deg: undefined }, 1), "");
  assert.equal(sentences.averageWords(sweep, 2), "");
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
