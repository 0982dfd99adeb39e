// The few DOM helpers. Texts from the payload go through `write` only: as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

export function write(node, text) {
  if (node.lastText === text) return;
  node.lastText = text;
  node.textContent = text;
}

// `scale` and `translate` strings are compared first: an unchanged row costs nothing.
export function move(node, transform) {
  if (node.lastTransform === transform) return;
  node.lastTransform = transform;
  node.style.transform = transform;
}

export function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

export function shape(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}
