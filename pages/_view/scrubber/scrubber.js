// One view per mounted component. Moving is local; `release` is the only line that sends.

const KEY_PAUSE_MS = 400;
const POINTER_PAUSE_MS = 60; // pointerup comes before the range's own `change`
const THUMB = 28; // px, as in scrubber.css
const views = new WeakMap();

function createView(root) {
  const parts = {};
  for (const node of root.querySelectorAll("[data-part]")) parts[node.dataset.part] = node;
  const view = { parts, index: 0, sent: 0, frame: 0, timer: 0, holding: "", width: 0 };
  view.rows = buildRows(parts.rows);
  listenToRange(view);
  listenToPlot(view);
  parts.goto.addEventListener("click", () => {
    goTo(view, view.data.target.index);
    release(view);
  });
  view.observer = new ResizeObserver(() => resize(view));
  view.observer.observe(parts.range);
  return view;
}

function listenToRange(view) {
  const { range } = view.parts;
  const hold = (what) => () => {
    view.holding = what;
    clearTimeout(view.timer);
  };
  const letGo = (pause) => () => {
    view.holding = "";
    schedule(view, pause);
  };
  range.addEventListener("input", () => {
    goTo(view, Number(range.value));
    schedule(view, KEY_PAUSE_MS); // an assistive tool sends neither keys nor pointers
  });
  range.addEventListener("pointerdown", hold("pointer"));
  range.addEventListener("keydown", hold("key"));
  range.addEventListener("pointerup", letGo(POINTER_PAUSE_MS));
  range.addEventListener("pointercancel", letGo(POINTER_PAUSE_MS));
  range.addEventListener("keyup", letGo(KEY_PAUSE_MS));
  range.addEventListener("blur", letGo(0));
  range.addEventListener("change", () => view.holding === "pointer" && letGo(POINTER_PAUSE_MS)());
}

function listenToPlot(view) {
  const { plot } = view.parts;
  let left = null;
  const follow = (event) => goTo(view, nearestStep(view.plot, view.data, event.clientX - left));
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !view.plot || !view.data.epsilon.length) return;
    left = plot.getBoundingClientRect().left;
    plot.setPointerCapture(event.pointerId);
    view.holding = "pointer";
    clearTimeout(view.timer);
    follow(event);
  });
  plot.addEventListener("pointermove", (event) => left !== null && follow(event));
  const letGo = () => {
    if (left === null) return;
    left = null;
    view.holding = "";
    release(view);
  };
  plot.addEventListener("pointerup", letGo);
  plot.addEventListener("pointercancel", letGo);
}

function goTo(view, index) {
  view.index = clamp(Math.round(index) || 0, 0, Math.max(0, view.data.epsilon.length - 1));
  view.frame ||= requestAnimationFrame(() => paint(view));
}

function schedule(view, pause) {
  clearTimeout(view.timer);
  if (!view.holding) view.timer = setTimeout(() => release(view), pause);
}

function release(view) {
  clearTimeout(view.timer);
  const value = at(view.data.epsilon, view.index);
  if (view.holding || view.index === view.sent || !isNumber(value)) return;
  view.sent = view.index;
  write(view.parts.live, spoken(view.data, view.index));
  view.send("epsilon", { sweep_id: view.data.sweep_id, value });
}

function paint(view) {
  view.frame = 0;
  const { parts, data, index } = view;
  const share = data.epsilon.length > 1 ? index / (data.epsilon.length - 1) : 0;
  if (Number(parts.range.value) !== index) parts.range.value = String(index);
  parts.range.setAttribute("aria-valuetext", spoken(data, index));
  parts.range.style.setProperty("--fill", `${(100 * share).toFixed(2)}%`);
  write(parts.bubble, `ε ${fixed(at(data.epsilon, index), 2)}`);
  const centre = THUMB / 2 + share * (view.width - THUMB);
  const half = view.bubbleWidth / 2;
  move(parts.bubble, `translateX(${clamp(centre - half, 0, Math.max(0, view.width - 2 * half)).toFixed(1)}px)`);
  write(parts.is, degrees(at(data.image_score_deg, index)));
  write(parts.as, signedDegrees(at(data.attribute_score_deg, index)));
  const average = at(data.average_score_deg, index);
  write(parts.average, isNumber(average) ? `average concept ${signedDegrees(average)}` : "");
  paintDrift(view);
  if (view.plot) paintPlot(view.plot, data, index);
  paintRows(view.rows, view.ranking, index);
  paintFrames(view);
}

function paintDrift({ parts, data, index }) {
  const drift = at(data.max_logit_drift, index);
  const largest = data.max_abs_logit;
  const decision = String(data.decision ?? NONE);
  const budget = data.drift_budget;
  const measured = [drift, largest, budget].every(isNumber);
  const stands = measured && drift <= budget * Math.abs(largest);
  const verdict = stands ? "decision stands" : measured ? "too large to say that the decision stands" : "not measured";
  write(parts.drift, scientific(drift));
  write(parts.decision, `of largest logit ${fixed(largest, 1)} — ${verdict}: ${decision}`);
}

// Cross-fades the two nearest pictures; with reduced motion, shows the nearer one.
function paintFrames({ parts, frames, index, calm }) {
  if (!frames.length) return;
  const after = frames.findIndex((frame) => frame.index >= index);
  const over = frames.at(after);
  const under = frames[Math.max(0, (after < 0 ? frames.length : after) - 1)];
  const gap = over.index - under.index;
  const blend = gap > 0 ? clamp((index - under.index) / gap, 0, 1) : 1;
  if (parts["frame-under"].src !== under.src) parts["frame-under"].src = under.src;
  if (parts["frame-over"].src !== over.src) parts["frame-over"].src = over.src;
  parts["frame-over"].style.opacity = calm.matches ? Math.round(blend) : blend.toFixed(3);
}

function resize(view) {
  const width = view.parts.plot.clientWidth;
  view.width = view.parts.range.clientWidth;
  view.bubbleWidth = view.parts.bubble.offsetWidth;
  if (!width || !view.data) return;
  if (view.plot?.scales.width !== width || view.plot.data !== view.data) {
    view.plot = { ...drawPlot(view.parts.plot, view.data, width), data: view.data };
  }
  view.frame ||= requestAnimationFrame(() => paint(view));
}

function showStill(view) {
  const { parts, data, ranking } = view;
  const prompt = String(data.prompt ?? "");
  const last = data.epsilon.length - 1;
  const remove = data.mode === "remove";
  write(parts.mode, remove ? `Removing the null part; AS is towards “${prompt}”` : `Steering towards “${prompt}”`);
  parts.mode.title = prompt.slice(0, 500);
  parts.range.max = String(Math.max(0, last));
  parts.range.disabled = last < 1;
  write(parts.first, fixed(at(data.epsilon, 0), 2));
  write(parts.last, fixed(at(data.epsilon, last), 2));
  const length = data.feature_norm;
  write(parts.length, isNumber(length) ? `length of this photo’s feature |f| = ${brief(length)}` : "");
  const help = data.help ?? {};
  const texts = { epsilon: "epsilon", is: "image_score", as: "attribute_score", drift: "logit_drift" };
  for (const [part, name] of Object.entries(texts)) {
    const text = String(help[name] ?? "");
    write(parts[`help-${part}`], text);
    (parts[`box-${part}`] ?? parts.label).title = text;
  }
  const target = data.target ?? {};
  const wanted = isNumber(target.image_score_deg) ? `${Number(target.image_score_deg.toFixed(1))}°` : NONE;
  write(parts.goto, `Go to IS = ${wanted}`);
  parts.goto.disabled = !(target.reachable && isNumber(target.index));
  write(parts.sentence, String(target.sentence ?? ""));
  write(parts.far, `${ranking.far}°`);
  write(parts.near, `${ranking.near}°`);
  const bare = !ranking.steps.some((step) => step.length);
  for (const part of ["legend", "scale"]) parts[part].hidden = bare;
  parts["no-concepts"].hidden = !bare;
  parts.frames.hidden = view.frames.length === 0;
}

function load(view, data) {
  const sameSweep = view.data?.sweep_id === data.sweep_id;
  view.data = { ...data, epsilon: Array.isArray(data.epsilon) ? data.epsilon : [] };
  view.ranking = rankConcepts(view.data);
  const pictures = Array.isArray(data.frames) ? data.frames : [];
  view.frames = pictures.filter((frame) => String(frame.src).startsWith("data:image/")).sort((a, b) => a.index - b.index);
  showStill(view);
  if (!sameSweep) {
    clearTimeout(view.timer);
    goTo(view, data.index);
    view.sent = view.index;
  }
  write(view.parts.bubble, `ε ${fixed(view.data.epsilon.at(-1), 2)}`); // the widest, to measure
  resize(view);
  cancelAnimationFrame(view.frame);
  paint(view);
}

export default function scrubber({ parentElement, data, setStateValue }) {
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.parts.range)) {
    view?.observer.disconnect();
    view = createView(parentElement);
    view.calm = matchMedia("(prefers-reduced-motion: reduce)");
    views.set(parentElement, view);
  }
  view.send = setStateValue;
  if (data) load(view, data);
  return () => {
    if (parentElement.isConnected) return; // Streamlit also cleans up after a superseded call
    clearTimeout(view.timer);
    cancelAnimationFrame(view.frame);
    view.observer.disconnect();
    views.delete(parentElement);
  };
}
