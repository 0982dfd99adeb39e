// Numbers into words, and the few DOM helpers. Texts from the payload go through `write` only.

const MINUS = "\u2212";
const NONE = "–";
const SVG = "http://www.w3.org/2000/svg";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const at = (list, index) => (Array.isArray(list) ? list[index] : undefined);

function fixed(value, digits) {
  return isNumber(value) ? value.toFixed(digits).replace("-", MINUS) : NONE;
}

function signed(value, digits) {
  if (!isNumber(value)) return NONE;
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? MINUS : "+") + text;
}

// Three digits that count: 15.6, 0.0053.
const brief = (value) => String(Number(value.toPrecision(3)));
const degrees = (value) => (isNumber(value) ? `${fixed(value, 1)}°` : NONE);
const signedDegrees = (value) => (isNumber(value) ? `${signed(value, 1)}°` : NONE);

function scientific(value) {
  if (!isNumber(value)) return NONE;
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(0).split("e");
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

// "ε 3.20, image score 24.1 degrees, attribute score +6.3 degrees"
function spoken(data, index) {
  const spell = (text) => (text === NONE ? "not available" : `${text} degrees`);
  return (
    `ε ${fixed(at(data.epsilon, index), 2)}, ` +
    `image score ${spell(fixed(at(data.image_score_deg, index), 1))}, ` +
    `attribute score ${spell(signed(at(data.attribute_score_deg, index), 1))}`
  );
}

function write(node, text) {
  if (node.lastText === text) return;
  node.lastText = text;
  node.textContent = text;
}

// `scale` and `translate` strings are compared first: an unchanged row costs nothing.
function move(node, transform) {
  if (node.lastTransform === transform) return;
  node.lastTransform = transform;
  node.style.transform = transform;
}

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

function shape(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}

// Round tick values that cover [low, high] in about `count` steps.
function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((unit) => unit * power).find((unit) => unit >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
