// Numbers into words; what is no number becomes a dash.

import { isNumber } from "./numbers.mjs";

export const NONE = "–";
const MINUS = "\u2212";

export function fixed(value, digits) {
  return isNumber(value) ? value.toFixed(digits).replace("-", MINUS) : NONE;
}

export function signed(value, digits) {
  if (!isNumber(value)) return NONE;
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? MINUS : "+") + text;
}

// Three digits that count: 15.6, 0.0053.
export const brief = (value) => (isNumber(value) ? String(Number(value.toPrecision(3))) : NONE);

// No digits that say nothing: 40, 2.5, 0.
export const plain = (value, digits) =>
  isNumber(value) ? String(Number(value.toFixed(digits))).replace("-", MINUS) : NONE;

export const degrees = (value) => (isNumber(value) ? `${fixed(value, 1)}°` : NONE);
export const signedDegrees = (value) => (isNumber(value) ? `${signed(value, 1)}°` : NONE);
export const plainDegrees = (value, digits) => (isNumber(value) ? `${plain(value, digits)}°` : NONE);

export function scientific(value) {
  if (!isNumber(value)) return NONE;
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(0).split("e");
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}
