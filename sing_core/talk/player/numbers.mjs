// What counts as a number, and the few sums that more than one module needs.

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const last = (list) => list.length - 1;
