// Numbers into words; what is no number becomes a dash.

import { isNumber } from "./numbers.mjs";

const NONE = "–";
const MINUS = "\u2212";

function fixed(value, digits) {
  return isNumber(value) ? value.toFixed(digits).replace("-", MINUS) : NONE;
}

export const degrees = (value, digits = 1) => (isNumber(value) ? `${fixed(value, digits)}°` : NONE);

export function signedDegrees(value) {
  if (!isNumber(value)) return NONE;
  const text = Math.abs(value).toFixed(1);
  return `${value < 0 && Number(text) !== 0 ? MINUS : "+"}${text}°`;
}

export const percent = (share) => (isNumber(share) ? `${Math.round(100 * share)} %` : NONE);
export const count = (value) => (isNumber(value) ? value.toLocaleString("en-GB") : NONE);

// As a room reads it: 0.000002 says more than 2e-06. One digit that counts.
export function small(value) {
  if (!isNumber(value)) return NONE;
  if (value >= 1) return value.toFixed(1);
  const rounded = Number(value.toPrecision(1)); // 9.5e-7 is a millionth
  return value === 0 ? "0" : rounded.toFixed(Math.min(9, -Math.floor(Math.log10(rounded))));
}
