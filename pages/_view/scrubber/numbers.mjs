// What counts as a number. A sweep may lack any of them: JSON carries NaN and infinities as null.

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const at = (list, index) => (Array.isArray(list) ? list[index] : undefined);
