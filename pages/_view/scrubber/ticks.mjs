// Round tick values that cover [low, high] in about `count` steps.

const ROUND = [1, 2, 2.5, 5, 10];
const SLACK = 1e-9; // of a step: an end that rounding moved is still an end

export function ticks(low, high, count) {
  const raw = (high - low) / count;
  if (!(raw > 0 && Number.isFinite(raw))) return [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ROUND.map((unit) => unit * power).find((unit) => unit >= raw * 0.999);
  const first = Math.ceil(low / step - SLACK);
  const last = Math.floor(high / step + SLACK);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
