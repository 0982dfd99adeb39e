// The speaker's second window: what to say now, what comes next, and how long it has been.

import { placeWords } from "./sentences.mjs";

const pad = (value) => String(value).padStart(2, "0");

export const clock = (ms) => `${Math.floor(ms / 60_000)}:${pad(Math.floor(ms / 1000) % 60)}`;

export function paintNotes({ parts, scenes, at, ready }) {
  const scene = scenes[at];
  const next = scenes[at + 1];
  parts["now-caption"].textContent = scene?.scene.caption ?? "";
  parts["now-notes"].textContent = scene?.scene.notes || "No notes for this scene.";
  parts["next-caption"].textContent = next ? next.scene.caption : "The end.";
  parts["next-photo"].replaceChildren();
  if (next) {
    const photo = new Image();
    photo.alt = "The next scene’s photo.";
    photo.src = next.photo;
    parts["next-photo"].append(photo);
  }
  parts["notes-place"].textContent = placeWords(at, scenes);
  parts["notes-ready"].textContent = ready;
}

export function startClock(node) {
  const begun = Date.now();
  const tick = () => (node.textContent = clock(Date.now() - begun));
  tick();
  return setInterval(tick, 1000);
}
