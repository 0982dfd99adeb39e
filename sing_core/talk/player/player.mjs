// The player of a talk: scenes that are all here before the first is shown, driven by keys alone.
// A page of the app, a file for a slide and the speaker's second window mount this same player.

import { ask, followAnswers, readPhoto } from "./asking.mjs";
import { actionOf, keyWords } from "./keys.mjs";
import { clamp, last } from "./numbers.mjs";
import { paintNotes, startClock } from "./notes.mjs";
import { paintScene, paintStep, write } from "./paint.mjs";
import { buildPictures } from "./pictures.mjs";
import { arrowStep, bounded, glide, indexOfDegrees } from "./steps.mjs";

const GLIDE_MS = 600;
const views = new WeakMap();

function createView(root, data) {
  const parts = {};
  for (const node of root.querySelectorAll("[data-part]")) parts[node.dataset.part] = node;
  const view = { parts, data, scenes: [...data.scenes], at: 0, index: 0, frame: 0, gliding: 0 };
  Object.assign(view, { wiped: false, controls: false, numbers: true, note: "", waiting: "" });
  view.kept = new Map(); // pictures by recording: built once, shown at once
  view.calm = matchMedia("(prefers-reduced-motion: reduce)");
  view.channel = "BroadcastChannel" in window ? new BroadcastChannel("sing-talk") : null;
  view.ready = data.ready ?? "";
  showKeys(view);
  listen(view);
  if (data.view === "notes") beginNotes(view);
  else beginStage(view);
  return view;
}

function showKeys({ parts, data, ready }) {
  for (const [key, words] of keyWords(data.live)) {
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    write(term, key);
    write(text, words);
    parts.keys.append(term, text);
  }
  write(parts.ready, ready);
}

function listen(view) {
  const { parts } = view;
  const onKey = (event) => pressed(view, event);
  window.addEventListener("keydown", onKey, { capture: true });
  parts.range.addEventListener("input", () => {
    stopGlide(view);
    goTo(view, Number(parts.range.value));
  });
  parts.ask.addEventListener("submit", (event) => {
    event.preventDefault();
    submitPrompt(view);
  });
  parts.file.addEventListener("change", () => submitPhoto(view));
  const silence = followAnswers((answer) => receive(view, answer));
  view.channel?.addEventListener("message", ({ data }) => heard(view, data));
  view.stop = () => {
    window.removeEventListener("keydown", onKey, { capture: true });
    silence();
    stopGlide(view);
    clearInterval(view.clock);
    view.channel?.close();
  };
}

function beginStage(view) {
  const wanted = view.data.scene || decodeURIComponent(location.hash.slice(1));
  view.scenes.forEach((scene) => picturesOf(view, scene));
  view.parts.talk.tabIndex = -1;
  view.parts.talk.style.outline = "none";
  view.parts.talk.focus();
  showScene(view, Math.max(0, view.scenes.findIndex(({ name }) => name === wanted)));
}

function beginNotes(view) {
  view.parts.speaker.hidden = false;
  view.clock = startClock(view.parts.clock);
  paintNotes(view);
  view.channel?.postMessage({ kind: "hello" });
}

function picturesOf(view, scene) {
  if (!view.kept.has(scene)) view.kept.set(scene, buildPictures(scene));
  return view.kept.get(scene);
}

function showScene(view, wish) {
  if (!view.scenes.length) return;
  stopGlide(view);
  view.at = clamp(wish, 0, last(view.scenes));
  view.scene = view.scenes[view.at];
  view.pictures = picturesOf(view, view.scene);
  view.index = bounded(view.scene.start, view.scene);
  Object.assign(view, { wiped: false, controls: false });
  paintScene(view);
  history.replaceState(history.state, "", `#${encodeURIComponent(view.scene.name)}`);
  tell(view);
}

const tell = (view) => view.channel?.postMessage({ kind: "at", at: view.at });

function goTo(view, wish) {
  view.index = bounded(wish, view.scene);
  view.frame ||= requestAnimationFrame(() => paintStep(view));
}

function glideTo(view, to) {
  stopGlide(view);
  if (view.calm.matches) return goTo(view, to);
  const from = view.index;
  const begun = performance.now();
  const move = (now) => {
    const share = (now - begun) / GLIDE_MS;
    view.index = glide(from, to, share);
    paintStep(view);
    view.gliding = share < 1 ? requestAnimationFrame(move) : 0;
  };
  view.gliding = requestAnimationFrame(move);
}

function stopGlide(view) {
  cancelAnimationFrame(view.gliding);
  cancelAnimationFrame(view.frame);
  view.gliding = view.frame = 0;
}

function pressed(view, event) {
  const typing = view.parts.ask.contains(event.composedPath()[0]);
  if (typing && event.key !== "Escape") return event.stopImmediatePropagation();
  const found = actionOf(event, view.data.live);
  if (!found) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // keys of the page around would rerun it or clear its cache
  if (view.data.view === "notes") view.channel?.postMessage({ kind: "key", found });
  else act(view, found);
}

function act(view, [action, amount]) {
  const { parts } = view;
  if (action === "out") return out(view);
  if (action === "help") return void (parts.help.hidden = !parts.help.hidden);
  if (!view.scene) return;
  const change = {
    step: () => goTo(view, (stopGlide(view), view.index) + amount * arrowStep(view.scene)),
    degrees: () => glideTo(view, indexOfDegrees(view.scene, amount)),
    scene: () => showScene(view, view.at + amount),
    wipe: () => repaint(view, { wiped: !view.wiped, controls: false }),
    controls: () => repaint(view, { controls: !view.controls, wiped: false }),
    numbers: () => repaint(view, { numbers: !view.numbers }),
    prompt: () => openPrompt(view),
    upload: () => parts.file.click(),
    window: () => window.open("?stage=notes", "sing-notes"),
    full: () => toggleFull(),
  };
  change[action]();
}

function repaint(view, change) {
  Object.assign(view, change);
  paintScene(view);
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

function out(view) {
  const { help, ask: form } = view.parts;
  if (!help.hidden || !form.hidden) {
    help.hidden = form.hidden = true;
    return view.parts.talk.focus();
  }
  const link = view.scene?.link ?? view.data.out;
  if (link) location.assign(link);
}

function openPrompt({ parts, scene }) {
  parts.ask.hidden = false;
  parts.prompt.value = scene.scene.prompt;
  parts.prompt.select();
  parts.prompt.focus();
}

function submitPrompt(view) {
  const prompt = view.parts.prompt.value.trim();
  out(view);
  if (prompt) send(view, { prompt }, `Asking for “${prompt}” …`);
}

async function submitPhoto(view) {
  const [file] = view.parts.file.files;
  view.parts.file.value = "";
  if (!file) return;
  try {
    send(view, { photo: await readPhoto(file) }, "Looking at the new photo …");
  } catch {
    repaint(view, { note: "This file is no picture that a browser can read." });
  }
}

// The caption's place says what is being done: nothing moves, and nothing pops up.
function send(view, question, note) {
  repaint(view, { note });
  ask({ scene: view.scene.name, ...question });
}

// An answer is a scene of its own; pictures take its squares when they are finished.
function receive(view, { recording, note }) {
  view.note = note ?? "";
  view.waiting = recording?.waiting ?? "";
  if (!recording) return view.scene && paintScene(view);
  const known = view.scenes.findIndex(({ name }) => name === recording.name);
  const same = known >= 0 && view.scenes[known].key === recording.key;
  if (known >= 0) view.scenes[known] = recording;
  else view.scenes.push(recording);
  const place = known >= 0 ? known : last(view.scenes);
  if (!same) return showScene(view, place);
  if (view.at !== place) return;
  view.scene = recording;
  view.pictures = picturesOf(view, recording);
  paintScene(view);
}

function heard(view, message) {
  if (view.data.view === "notes" && message.kind === "at") {
    view.at = clamp(message.at, 0, last(view.scenes));
    paintNotes(view);
  } else if (view.data.view !== "notes" && message.kind === "key") act(view, message.found);
  else if (view.data.view !== "notes" && message.kind === "hello") tell(view);
}

export default function player({ parentElement, data }) {
  const before = views.get(parentElement);
  if (before && parentElement.contains(before.parts.talk)) return before.stop;
  before?.stop();
  const view = createView(parentElement, data);
  views.set(parentElement, view);
  return () => {
    if (parentElement.isConnected) return; // Streamlit also cleans up after a superseded call
    view.stop();
    views.delete(parentElement);
  };
}
