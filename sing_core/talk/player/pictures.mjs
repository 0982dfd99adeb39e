// A scene's pictures as images that are decoded before they are shown: a scene changes at once.

import { blendAt, nearer } from "./steps.mjs";

function image(src, alt) {
  const node = new Image();
  node.decoding = "sync";
  node.alt = alt;
  node.draggable = false;
  if (String(src).startsWith("data:image/")) node.src = src; // only what came with the page
  node.decode?.().catch(() => {});
  return node;
}

export function buildPictures(scene) {
  const frames = [...scene.frames].sort((a, b) => a.index - b.index);
  const drawn = (frame) => image(frame.src, "A picture drawn from a feature.");
  return {
    photo: image(scene.photo, "The photo."),
    before: frames.length ? drawn(frames[0]) : null,
    wiped: frames.length ? drawn(frames[0]) : null,
    after: frames.map(drawn),
    frames,
    indices: frames.map((frame) => frame.index),
    controls: scene.controls.map((control) => image(control.src, "A control picture.")),
  };
}

function set(node, name, value) {
  if (node.style[name] !== value) node.style[name] = value;
}

export function fill(square, nodes, waiting) {
  square.replaceChildren(...nodes.filter(Boolean));
  square.dataset.waiting = nodes.some(Boolean) ? "" : waiting;
}

// Cross-fades the two nearest pictures; returns the frame that the step is nearest to.
export function paintPictures(pictures, index, calm) {
  const blend = blendAt(pictures.indices, index);
  if (!blend) return null;
  const { under, over } = blend;
  const share = calm ? Math.round(blend.share) : blend.share;
  pictures.after.forEach((node, place) => {
    const shown = place === over || place === under;
    set(node, "visibility", shown ? "visible" : "hidden"); // what is not seen costs no frame
    set(node, "opacity", place === over && under !== over ? share.toFixed(3) : "1");
    set(node, "zIndex", place === over ? "1" : "0");
  });
  return pictures.frames[nearer(blend)];
}
