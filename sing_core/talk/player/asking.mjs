// What the audience asks: another prompt, their own photo. The page's server answers by an event.

const LONGEST_PX = 1024;

// Small enough to be sent at once, large enough for any classifier.
export function readPhoto(file) {
  return createImageBitmap(file).then((bitmap) => {
    const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/jpeg", 0.92);
  });
}

export function ask(question) {
  window.dispatchEvent(new CustomEvent("sing-ask", { detail: question }));
}

export function followAnswers(receive) {
  const listen = (event) => receive(event.detail);
  window.addEventListener("sing-answer", listen);
  return () => window.removeEventListener("sing-answer", listen);
}
