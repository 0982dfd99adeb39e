// What stands still while one sweep is under the hand: names, ends, helps, the button.

import { write } from "./dom.mjs";
import { at, isNumber } from "./numbers.mjs";
import { lengthWords, modeWords, targetWords } from "./sentences.mjs";
import { fixed } from "./words.mjs";

const HELPS = { epsilon: "epsilon", is: "image_score", as: "attribute_score", drift: "logit_drift" };

export function showStill({ parts, data, ranking, frames }) {
  write(parts.mode, modeWords(data));
  parts.mode.title = String(data.prompt ?? "").slice(0, 500);
  showEnds(parts, data);
  showHelp(parts, data.help ?? {});
  showTarget(parts, data.target ?? {});
  write(parts.far, `${ranking.far}°`);
  write(parts.near, `${ranking.near}°`);
  const bare = !ranking.steps.some((step) => step.length);
  for (const part of ["legend", "scale"]) parts[part].hidden = bare;
  parts["no-concepts"].hidden = !bare;
  parts.frames.hidden = frames.length === 0;
}

function showEnds(parts, data) {
  const last = data.epsilon.length - 1;
  parts.range.max = String(Math.max(0, last));
  parts.range.disabled = last < 1;
  write(parts.first, fixed(at(data.epsilon, 0), 2));
  write(parts.last, fixed(at(data.epsilon, last), 2));
  write(parts.length, lengthWords(data));
}

function showHelp(parts, help) {
  for (const [part, name] of Object.entries(HELPS)) {
    const text = String(help[name] ?? "");
    write(parts[`help-${part}`], text);
    (parts[`box-${part}`] ?? parts.label).title = text;
  }
}

function showTarget(parts, target) {
  write(parts.goto, `Go to ${targetWords(target)}`);
  parts.goto.disabled = !(target.reachable && isNumber(target.index));
  write(parts.sentence, String(target.sentence ?? ""));
}
