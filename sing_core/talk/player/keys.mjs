// Which key does what; presenters' remotes send PageUp and PageDown.

const KEYS = {
  ArrowRight: ["step", 1],
  ArrowLeft: ["step", -1],
  ArrowUp: ["step", 1],
  ArrowDown: ["step", -1],
  0: ["degrees", 0],
  1: ["degrees", 10],
  2: ["degrees", 20],
  4: ["degrees", 40],
  n: ["scene", 1],
  PageDown: ["scene", 1],
  p: ["scene", -1],
  PageUp: ["scene", -1],
  b: ["wipe"],
  c: ["controls"],
  t: ["prompt"],
  u: ["upload"],
  h: ["numbers"],
  w: ["window"],
  f: ["full"],
  "?": ["help"],
  Escape: ["out"],
};
const LIVE = new Set(["prompt", "upload", "window"]); // need a server behind the page

export const KEY_WORDS = [
  ["← →", "a step"],
  ["0 1 2 4", "to 0°, 10°, 20°, 40°, or the step nearest to it"],
  ["N P", "next, previous scene (Page Up, Page Down)"],
  ["B", "wipe: before, after"],
  ["C", "controls: steps as long in other directions"],
  ["T", "type another prompt"],
  ["U", "upload a photo"],
  ["H", "hide or show numbers"],
  ["W", "notes in a second window"],
  ["F", "full screen"],
  ["?", "these notes"],
  ["Esc", "back to Explore"],
];
const LIVE_WORDS = new Set(["T", "U", "W", "Esc"]);

export const keyWords = (live) => KEY_WORDS.filter(([key]) => live || !LIVE_WORDS.has(key));

// [action, amount] of a key event, or null: keys with Ctrl, Alt or Cmd are the browser's own.
export function actionOf({ key, ctrlKey, altKey, metaKey }, live) {
  if (ctrlKey || altKey || metaKey) return null;
  const found = KEYS[key] ?? KEYS[String(key).toLowerCase()];
  return !found || (LIVE.has(found[0]) && !live) ? null : found;
}
