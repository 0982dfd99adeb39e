// What changes with a scene, and what changes with a step: everything that one frame draws.

import { last } from "./numbers.mjs";
import { fill, paintPictures } from "./pictures.mjs";
import { CONTROLS_HEADLINE, afterSays, averageWords, badge, beforeSays, controlWords, drawnWords, driftWords, headWords, headline, placeWords, rankNote, rankWords, spoken } from "./sentences.mjs";
import { ticks } from "./steps.mjs";
import { degrees, signedDegrees } from "./words.mjs";

export function write(node, text) {
  if (node.lastText === text) return;
  node.lastText = text;
  node.textContent = text; // as text, never as HTML
}

// A scene, or another set of its pictures, comes on.
export function paintScene(view) {
  const { parts, scene, pictures, at, scenes } = view;
  parts.talk.dataset.waiting = "";
  parts.talk.dataset.wiped = view.wiped ? "yes" : "no";
  parts.talk.dataset.numbers = view.numbers ? "yes" : "no";
  parts.range.max = String(last(scene.epsilon));
  write(parts.caption, view.note || scene.scene.caption);
  write(parts.head, headWords(scene));
  write(parts.place, placeWords(at, scenes));
  write(parts.notes, scene.scene.notes || "No notes for this scene.");
  write(parts["rank-note"], rankNote(scene));
  paintTicks(parts.ticks, scene);
  fillSquares(view);
  paintStep(view);
}

function paintTicks(place, scene) {
  place.replaceChildren(
    ...ticks(scene).map(({ wanted, share, exact }) => {
      const tick = document.createElement("span");
      tick.style.left = `${100 * share}%`;
      tick.textContent = `${exact ? "" : "≈"}${wanted}°`;
      return tick;
    }),
  );
}

// Pictures that are there already stay where they are: a wipe goes on.
function fillSquares(view) {
  const { pictures, waiting } = view;
  const beside = view.controls && pictures.controls.length > 0;
  const filled = view.filled;
  view.filled = { pictures, beside, waiting };
  view.parts.talk.dataset.controls = beside ? "yes" : "no";
  const same = filled && filled.pictures === pictures && filled.beside === beside && filled.waiting === waiting;
  if (beside) fillControls(view, same);
  else fillPair(view, same);
}

function fillPair({ parts, scene, pictures, wiped, waiting }, same) {
  const { photo, before, after } = pictures;
  if (!same) {
    pictures.wiped?.classList.add("wipe");
    fill(parts.one, [photo], "");
    fill(parts.two, [before], waiting);
    fill(parts.three, [...after, pictures.wiped], waiting);
    parts.three.append(parts.badge);
  }
  write(parts["one-name"], "the photo");
  write(parts["one-says"], beforeSays(scene));
  write(parts["two-name"], "its feature, drawn");
  write(parts["two-says"], beforeSays(scene));
  if (wiped) write(parts["three-name"], "before: drawn from its feature");
}

function fillControls({ parts, scene, pictures }, same) {
  ["one", "two", "three"].forEach((square, place) => {
    const control = scene.controls[place];
    const { name, says } = controlWords(control);
    if (!same) fill(parts[square], [pictures.controls[place]], "");
    write(parts[`${square}-name`], name);
    write(parts[`${square}-says`], says);
  });
}

export function paintStep(view) {
  view.frame = 0;
  const { parts, scene, pictures, index } = view;
  const end = last(scene.epsilon);
  if (Number(parts.range.value) !== index) parts.range.value = String(index);
  parts.range.style.setProperty("--fill", `${(end ? (100 * index) / end : 0).toFixed(2)}%`);
  parts.range.setAttribute("aria-valuetext", spoken(scene, index));
  const beside = view.controls && pictures.controls.length > 0;
  write(parts.headline, beside ? CONTROLS_HEADLINE : headline(scene, index));
  write(parts.is, degrees(scene.image_score_deg[index]));
  write(parts.as, signedDegrees(scene.attribute_score_deg[index]));
  write(parts.average, averageWords(scene, index));
  write(parts.rank, rankWords(scene, index));
  if (beside) return;
  const shown = paintPictures(pictures, index, view.calm.matches);
  write(parts.drift, driftWords(scene, index, shown));
  write(parts["three-says"], afterSays(scene, index, shown));
  write(parts.badge, view.wiped ? "" : badge(scene, shown));
  if (!view.wiped) write(parts["three-name"], drawnWords(scene, shown) || "its equivalent");
}
