// What changes with the step: everything that one frame under the hand draws.

import { write } from "./dom.mjs";
import { at } from "./numbers.mjs";
import { paintPlot } from "./plot.mjs";
import { paintRows } from "./rows.mjs";
import { beyondWords, decisionWords, epsilonWords, inviteWords, plainSentence, rankWords, spoken } from "./sentences.mjs";
import { paintSquares } from "./squares.mjs";
import { shareBefore } from "./steps.mjs";
import { degrees, scientific, signedDegrees } from "./words.mjs";

export function paint(view) {
  view.frame = 0;
  paintSlider(view);
  paintReadouts(view);
  if (view.plot) paintPlot(view.plot, view.data, view.index);
  paintRows(view);
  paintSquares(view);
}

function paintSlider({ parts, data, index }) {
  const share = shareBefore(index, data.epsilon.length);
  if (Number(parts.range.value) !== index) parts.range.value = String(index);
  parts.range.setAttribute("aria-valuetext", spoken(data, index));
  parts.range.style.setProperty("--fill", `${(100 * share).toFixed(2)}%`);
  write(parts.bubble, epsilonWords(at(data.epsilon, index)));
}

function paintReadouts({ parts, data, index, pulled }) {
  write(parts.is, degrees(at(data.image_score_deg, index)));
  write(parts.as, signedDegrees(at(data.attribute_score_deg, index)));
  write(parts.beyond, beyondWords(data, index));
  write(parts.rank, rankWords(data, index));
  write(parts.sentence, plainSentence(data, index) + (pulled ? "" : inviteWords(data, index)));
  write(parts.drift, scientific(at(data.max_logit_drift, index)));
  write(parts.decision, decisionWords(data, index));
}
