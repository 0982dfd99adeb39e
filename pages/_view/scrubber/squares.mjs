// Three equal squares: the photo, its feature and its equivalent, and what is said of each.

import { write } from "./dom.mjs";
import { at, isNumber } from "./numbers.mjs";
import { blendAt } from "./pictures.mjs";
import { saysAfter, saysBefore } from "./sentences.mjs";
import { degrees } from "./words.mjs";

// What stands still while one sweep is under the hand.
export function showSquares({ parts, data, frames }) {
  const photo = String(data.photo ?? "");
  parts.photo.hidden = !photo.startsWith("data:image/");
  write(parts["wait-photo"], parts.photo.hidden ? String(data.no_photo ?? "") : "");
  if (!parts.photo.hidden && parts.photo.src !== photo) parts.photo.src = photo;
  showBadge(parts, "photo", !parts.photo.hidden && data.photo_note);
  const own = frames.find((frame) => frame.index === 0);
  showImage(parts.feature, own?.src);
  showBadge(parts, "feature", own?.badge);
  for (const name of ["feature", "equivalent"]) write(parts[`wait-${name}`], String(data.pictures ?? ""));
  const said = saysBefore(data);
  write(parts["says-photo"], said);
  write(parts["says-feature"], said && `= ${said}`);
  parts["says-photo"].title = said;
}

// Cross-fades the two nearest pictures; with reduced motion, shows the nearer one.
export function paintSquares({ parts, data, frames, index, calm }) {
  write(parts["says-equivalent"], saysAfter(data, index));
  const found = shownAt(frames, index);
  const [under, over] = [parts["frame-under"], parts["frame-over"]];
  showImage(under, found?.under.src);
  showImage(over, found?.over.src);
  showBadge(parts, "equivalent", found && badgeOf(found));
  if (found) over.style.opacity = calm.matches ? Math.round(found.blend) : found.blend.toFixed(3);
}

// The feature's own picture is none of its equivalents: alone it stands for the step 0 only.
export function shownAt(frames, index) {
  const others = frames.some((frame) => frame.index > 0);
  return others || (frames.length && index === 0) ? blendAt(frames, index) : null;
}

const badgeOf = ({ under, over, blend }) => (blend < 0.5 ? under : over).badge;

function showImage(node, src) {
  if (node.hidden !== !src) node.hidden = !src;
  if (src && node.lastSource !== src) node.src = node.lastSource = src;
}

function showBadge(parts, name, text) {
  const node = parts[`badge-${name}`];
  if (node.hidden !== !text) node.hidden = !text;
  if (!text) return;
  write(node, String(text));
  write(parts[`whole-${name}`], String(text));
  node.title = String(text);
}

// Where the tick marks of the slider stand: `at` from 0 to 1, and the step that each goes to. A tick
// promises its angle: it stands only at a step that reads so, to the digit that is shown.
export function angleTicks(data, wanted = [0, 10, 20, 40]) {
  const scores = data.image_score_deg ?? [];
  const last = data.epsilon.length - 1;
  const target = data.target?.reachable ? data.target : null;
  const own = target && isNumber(target.image_score_deg) ? [target.image_score_deg] : [];
  const near = (angle) => own.some((other) => other !== angle && Math.abs(other - angle) < 4);
  return [...new Set([...wanted.filter((angle) => !near(angle)), ...own])]
    .map((angle) => ({ angle, index: own.includes(angle) ? target.index : stepAt(scores, angle) }))
    .filter(({ angle, index }) => last > 0 && degrees(scores[index]) === degrees(angle))
    .map((tick) => ({ ...tick, at: tick.index / last }));
}

const MARKED = 0.08; // of the slider: a mark so near its end tells enough of it

// What the far end of the slider reaches, where no other mark tells it; `room` before it is bare.
export function endTick(data) {
  const last = data.epsilon.length - 1;
  const angle = at(data.image_score_deg, last);
  const room = 1 - angleTicks(data).reduce((most, tick) => Math.max(most, tick.at), 0);
  return last > 0 && isNumber(angle) && room >= MARKED ? { angle, index: last, room } : null;
}

// The step whose score is nearest to an angle that the sweep reaches; null where it does not.
export function stepAt(scores, angle) {
  const known = scores.filter(isNumber);
  if (!known.length || angle > Math.max(...known) + 0.5) return null;
  const distance = (score) => (isNumber(score) ? Math.abs(score - angle) : Infinity);
  return scores.reduce((best, score, index) => (distance(score) < distance(scores[best]) ? index : best), 0);
}
