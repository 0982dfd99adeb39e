// The Share button: copies the link to what is shown at this moment.

import { write } from "./dom.mjs";
import { at, isNumber } from "./numbers.mjs";

const SHOWN_MS = 2_000;

// The page's own address; a step that was gone to is in it with six digits, as the server writes it.
export function linkTo(address, { data, index, sent }) {
  const url = new URL(address);
  const epsilon = at(data.epsilon, index);
  if (index !== sent && isNumber(epsilon)) url.searchParams.set("eps", String(Number(epsilon.toPrecision(6))));
  return url.href;
}

export function followShare(view) {
  const { share, live } = view.parts;
  let timer = 0;
  const say = (text) => {
    write(share, text);
    write(live, text);
    clearTimeout(timer);
    timer = setTimeout(() => write(share, "Share"), SHOWN_MS);
  };
  share.addEventListener("click", async () => {
    const link = linkTo(location.href, view);
    try {
      await navigator.clipboard.writeText(link);
      say("Link copied");
    } catch {
      copyByHand(link, share.getRootNode());
      say("Link copied");
    }
  });
}

// Without a secure connection a browser has no clipboard to write to, but it copies a selection.
function copyByHand(text, root) {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  (root.body ?? root).append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
