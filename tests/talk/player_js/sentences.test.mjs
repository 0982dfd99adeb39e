import assert from "node:assert/strict";
import { test } from "node:test";
import { afterSays, badge, controlWords, drawnWords, driftWords, headWords, headline, placeWords, rankWords, spoken } from "../../../sing_core/talk/player/sentences.mjs";

const scene = {
  scene: { mode: "steer", prompt: "an image of a fox", classes: [1, 2], drawn: "feasible" },
  before: { label: "tiger cat", probability: 0.39 },
  after: { label: "tiger cat", probability: 0.39 },
  model_title: "Lite", deciding: 16, nullity: 1264, feature_dim: 1280, concepts: 1268,
  max_abs_logit: 9.2, drift_budget: 1e-5,
  max_logit_drift: [0, 0.000002, 0.5],
  image_score_deg: [0, 27.4, 40], attribute_score_deg: [0, 11.2, 16], average_score_deg: [0, 1, 2],
  rank: [828, 4, 1],
};
const frame = { index: 1, label: "tiger cat", feature_label: "tiger cat", feature_probability: 0.38, image_score_deg: 21, max_logit_drift: 0.2 };

test("the headline says what moved and what stood", () => {
  const whole = { ...scene, scene: { ...scene.scene, classes: [] } };
  assert.match(headline(whole, 0), /^The classifier says tiger cat, 39 %\./);
  assert.equal(headline(whole, 1), "The meaning turns 27° towards “an image of a fox”. The classifier still says tiger cat, 39 %.");
});

test("where few classes decide the headline says among how many its percentage is", () => {
  assert.match(headline(scene, 0), /^Of 16 classes the classifier says tiger cat, 39 %\. Now move/);
  assert.match(headline(scene, 1), /“an image of a fox”\. Of 16 classes it still says tiger cat, 39 %\.$/);
});

test("where the logits move the headline does not say that the decision stands", () => {
  assert.match(headline(scene, 2), /and the logits move by up to 0\.5\.$/);
});

test("null removal names no direction", () => {
  assert.match(headline({ ...scene, scene: { ...scene.scene, mode: "remove" } }, 1), /taken away/);
});

test("an equals sign stands only where the drawn feature has the same logits", () => {
  assert.equal(afterSays(scene, 1, frame), "≈ tiger cat 38 %");
  assert.equal(afterSays(scene, 1, { ...frame, max_logit_drift: 1e-7 }), "= tiger cat 38 %");
  assert.equal(afterSays(scene, 1, null), "= tiger cat 39 %");
});

test("a picture that reads as another class says so itself", () => {
  assert.equal(badge(scene, frame), "");
  assert.equal(badge(scene, { ...frame, label: "orange" }), "this picture reads as orange");
});

test("what is drawn, the drift of both, the head, the ranks", () => {
  assert.equal(drawnWords(scene, frame), "drawn: 21° of the 27°");
  assert.equal(drawnWords({ ...scene, scene: { ...scene.scene, drawn: "asked" } }, frame), "its equivalent, drawn: 21°");
  assert.equal(
    driftWords(scene, 1, frame),
    "no deciding logit moves by more than 0.000002 (largest 9.2); of 27° the network can produce 21°, drawn (± 0.2)",
  );
  assert.equal(driftWords(scene, 0, { ...frame, index: 0 }), "no deciding logit moves by more than 0 (largest 9.2)");
  assert.equal(headWords(scene), "Lite · 16 classes decide · 1,264 of 1,280 directions are free");
  assert.equal(rankWords(scene, 2), "828 → 1");
  assert.equal(placeWords(2, [1, 2, 3]), "3 / 3");
  assert.equal(spoken(scene, 1), "image score 27.4 degrees, attribute score +11.2 degrees");
});

test("a control says how far it turns and how far the logits move", () => {
  const control = { name: "principal", image_score_deg: 12.4, max_logit_drift: 5.04, feature_label: "palace", feature_probability: 0.5 };
  assert.deepEqual(controlWords(control), { name: "a step that it sees: 12°", says: "palace 50 %, logits ± 5.0" });
});
