// When a place is released: never while a key or a pointer is held, and after a pause otherwise.

export const KEY_PAUSE_MS = 400;
export const POINTER_PAUSE_MS = 60; // pointerup comes before the range's own `change`

// `release` is called without arguments; `now` alone decides whether it is.
export function createHand(release) {
  let holding = "";
  let timer = 0;
  const stop = () => clearTimeout(timer);
  const now = () => {
    stop();
    if (!holding) release();
  };
  const wait = (pause) => {
    stop();
    timer = setTimeout(now, pause);
  };
  const hold = (what) => (holding = what);
  const letGo = (pause) => {
    hold("");
    wait(pause);
  };
  const letGoNow = () => {
    hold("");
    now();
  };
  return { hold, holds: (what) => holding === what, letGo, letGoNow, now, stop, wait };
}

// The slider by key, by pointer and by assistive tools: `goTo` at once, the release after the hand.
export function followRange(range, hand, goTo) {
  const on = (name, act) => range.addEventListener(name, act);
  on("input", () => {
    goTo(Number(range.value));
    hand.wait(KEY_PAUSE_MS); // an assistive tool sends neither keys nor pointers
  });
  on("pointerdown", () => hand.hold("pointer"));
  on("keydown", () => hand.hold("key"));
  on("pointerup", () => hand.letGo(POINTER_PAUSE_MS));
  on("pointercancel", () => hand.letGo(POINTER_PAUSE_MS));
  on("keyup", () => hand.letGo(KEY_PAUSE_MS));
  on("blur", () => hand.letGo(0));
  on("change", () => hand.holds("pointer") && hand.letGo(POINTER_PAUSE_MS));
}
