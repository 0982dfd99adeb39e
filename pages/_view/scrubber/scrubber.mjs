// One view per mounted component. Moving is local; `release` is the only function that sends.

import { write } from "./dom.mjs";
import { createHand, followRange } from "./hand.mjs";
import { paint } from "./paint.mjs";
import { usableFrames } from "./pictures.mjs";
import { drawPlot } from "./plot.mjs";
import { rankConcepts } from "./ranking.mjs";
import { buildRows } from "./rows.mjs";
import { spoken } from "./sentences.mjs";
import { followShare } from "./share.mjs";
import { followSkip } from "./skip.mjs";
import { boundedStep, messageOf, nearestStep } from "./steps.mjs";
import { showStill } from "./still.mjs";

const views = new WeakMap();

function createView(root) {
  const parts = {};
  for (const node of root.querySelectorAll("[data-part]")) parts[node.dataset.part] = node;
  const view = { parts, index: 0, sent: 0, frame: 0 };
  view.hand = createHand(() => release(view));
  view.rows = buildRows(parts.rows);
  view.calm = matchMedia("(prefers-reduced-motion: reduce)");
  followRange(parts.range, view.hand, (index) => pull(view, index));
  followPlot(view);
  followShare(view);
  view.silence = followSkip(parts.range);
  view.observer = new ResizeObserver(() => resize(view));
  view.observer.observe(parts.plot); // it has no width while its drawer is shut
  return view;
}

function followPlot(view) {
  const { plot } = view.parts;
  let left = null;
  const follow = (event) => {
    const wanted = view.plot.scales.epsilonAt(event.clientX - left);
    pull(view, nearestStep(view.data.epsilon, wanted));
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !view.plot || !view.data.epsilon.length) return;
    left = plot.getBoundingClientRect().left;
    plot.setPointerCapture(event.pointerId);
    view.hand.hold("pointer");
    follow(event);
  });
  plot.addEventListener("pointermove", (event) => left !== null && follow(event));
  const letGo = () => {
    if (left === null) return;
    left = null;
    view.hand.letGoNow();
  };
  plot.addEventListener("pointerup", letGo);
  plot.addEventListener("pointercancel", letGo);
}

// Who has pulled the slider need not be asked to.
function pull(view, index) {
  view.pulled = true;
  goTo(view, index);
}

function goTo(view, index) {
  view.index = boundedStep(index, view.data.epsilon.length);
  view.frame ||= requestAnimationFrame(() => paint(view));
}

function release(view) {
  const message = messageOf(view.data, view.index, view.sent);
  if (!message) return;
  view.sent = view.index;
  write(view.parts.live, spoken(view.data, view.index));
  view.send("epsilon", message);
}

function resize(view) {
  const width = view.parts.plot.clientWidth;
  if (!width || !view.data) return;
  if (view.plot?.scales.width !== width || view.plot.data !== view.data) {
    view.plot = { ...drawPlot(view.parts.plot, view.data, width), data: view.data };
  }
  view.frame ||= requestAnimationFrame(() => paint(view));
}

function load(view, data) {
  const sameSweep = view.data?.sweep_id === data.sweep_id, isFirst = !view.data;
  view.data = { ...data, epsilon: Array.isArray(data.epsilon) ? data.epsilon : [] };
  view.ranking = rankConcepts(view.data);
  view.frames = usableFrames(data.frames);
  showStill(view, (index) => {
    pull(view, index);
    view.hand.now();
  });
  if (!sameSweep) {
    view.hand.stop();
    goTo(view, data.index);
    view.sent = view.index;
    if (!isFirst) write(view.parts.live, spoken(view.data, view.index)); // the old scores are not of this
  }
  resize(view);
  cancelAnimationFrame(view.frame);
  paint(view);
}

function leave(view) {
  view.silence();
  view.observer.disconnect();
}

export default function scrubber({ parentElement, data, setStateValue }) {
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.parts.range)) {
    if (view) leave(view);
    view = createView(parentElement);
    views.set(parentElement, view);
  }
  view.send = setStateValue;
  if (data) load(view, data);
  return () => {
    if (parentElement.isConnected) return; // Streamlit also cleans up after a superseded call
    view.hand.stop();
    cancelAnimationFrame(view.frame);
    leave(view);
    views.delete(parentElement);
  };
}
