// What changes with the step: everything that one frame under the hand draws.

import { move, write } from "./dom.mjs";
import { at } from "./numbers.mjs";
import { blendAt } from "./pictures.mjs";
import { paintPlot } from "./plot.mjs";
import { paintRows } from "./rows.mjs";
import { averageWords, decisionWords, epsilonWords, spoken } from "./sentences.mjs";
import { bubbleLeft, shareBefore } from "./steps.mjs";
import { degrees, scientific, signedDegrees } from "./words.mjs";

export function paint(view) {
  view.frame = 0;
  paintSlider(view);
  paintReadouts(view);
  if (view.plot) paintPlot(view.plot, view.data, view.index);
  paintRows(view.rows, view.ranking, view.index);
  paintFrames(view);
}

function paintSlider({ parts, data, index, width, bubbleWidth }) {
  const share = shareBefore(index, data.epsilon.length);
  if (Number(parts.range.value) !== index) parts.range.value = String(index);
  parts.range.setAttribute("aria-valuetext", spoken(data, index));
  parts.range.style.setProperty("--fill", `${(100 * share).toFixed(2)}%`);
  write(parts.bubble, epsilonWords(at(data.epsilon, index)));
  move(parts.bubble, `translateX(${bubbleLeft(share, width, bubbleWidth).toFixed(1)}px)`);
}

function paintReadouts({ parts, data, index }) {
  write(parts.is, degrees(at(data.image_score_deg, index)));
  write(parts.as, signedDegrees(at(data.attribute_score_deg, index)));
  write(parts.average, averageWords(data, index));
  write(parts.drift, scientific(at(data.max_logit_drift, index)));
  write(parts.decision, decisionWords(data, index));
}

// Cross-fades the two nearest pictures; with reduced motion, shows the nearer one.
function paintFrames({ parts, frames, index, calm }) {
  const found = blendAt(frames, index);
  if (!found) return;
  const { under, over, blend } = found;
  if (parts["frame-under"].src !== under.src) parts["frame-under"].src = under.src;
  if (parts["frame-over"].src !== over.src) parts["frame-over"].src = over.src;
  parts["frame-over"].style.opacity = calm.matches ? Math.round(blend) : blend.toFixed(3);
}
