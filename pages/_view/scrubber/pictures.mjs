// Which two pictures a step lies between. Only pictures that the page brought itself are shown.

import { clamp } from "./numbers.mjs";

export function usableFrames(frames) {
  const given = Array.isArray(frames) ? frames : [];
  const own = given.filter((frame) => String(frame?.src).startsWith("data:image/"));
  return own.sort((a, b) => a.index - b.index);
}

// `blend` is the share of `over`, from 0 to 1; beyond the first or the last picture that one stands.
export function blendAt(frames, index) {
  if (!frames.length) return null;
  const after = frames.findIndex((frame) => frame.index >= index);
  const over = frames.at(after);
  const under = frames[Math.max(0, (after < 0 ? frames.length : after) - 1)];
  const gap = over.index - under.index;
  return { under, over, blend: gap > 0 ? clamp((index - under.index) / gap, 0, 1) : 1 };
}
