// Concept bars: which rows at which step (once per sweep), and painting a fixed pool of rows.

const NEAREST = 10;

// Returns { steps: n lists of concepts (prompt first), near, far } with the bar's scale in degrees.
function rankConcepts(data) {
  const given = Array.isArray(data.concepts) ? data.concepts : [];
  const usable = given.filter((concept) => concept && Array.isArray(concept.angle_deg));
  const pinned = usable.find((concept) => concept.kind === "prompt");
  const others = usable.filter((concept) => concept !== pinned);
  const steps = data.epsilon.map((_, index) => {
    const angle = (concept) => concept.angle_deg[index];
    const known = others.filter((concept) => isNumber(angle(concept)));
    const nearest = known.sort((a, b) => angle(a) - angle(b)).slice(0, NEAREST);
    return pinned ? [pinned, ...nearest] : nearest;
  });
  const shown = [...new Set(steps.flat())].flatMap((concept) => concept.angle_deg.filter(isNumber));
  const near = shown.length ? Math.floor((Math.min(...shown) - 1) / 5) * 5 : 0;
  const far = shown.length ? Math.ceil((Math.max(...shown) + 1) / 5) * 5 : 90;
  return { steps, near: Math.max(0, near), far };
}

function buildRow(list) {
  const row = element("li", "row", list);
  const label = element("span", "concept", row);
  const track = element("span", "track", row);
  const bar = element("span", "bar", track);
  const carrier = element("span", "carrier", track);
  element("span", "tick", carrier);
  return { row, label, bar, carrier, now: element("span", "now", row), change: element("span", "change", row) };
}

function buildRows(list) {
  list.replaceChildren();
  return Array.from({ length: NEAREST + 1 }, () => buildRow(list));
}

function paintRow(parts, concept, index, ranking) {
  const angle = concept.angle_deg[index];
  const before = concept.angle_deg[0];
  const length = (value) => {
    const share = (ranking.far - value) / (ranking.far - ranking.near);
    return isNumber(value) ? clamp(share, 0, 1) : 0;
  };
  if (parts.concept !== concept) {
    parts.concept = concept;
    const label = String(concept.label ?? NONE);
    write(parts.label, label);
    parts.row.title = concept.kind ? `${label} (${concept.kind})` : label;
    parts.row.classList.toggle("pinned", concept.kind === "prompt");
    parts.carrier.style.visibility = isNumber(before) ? "visible" : "hidden";
  }
  move(parts.bar, `scaleX(${length(angle).toFixed(4)})`);
  move(parts.carrier, `translateX(${(100 * length(before)).toFixed(2)}%)`);
  write(parts.now, degrees(angle));
  write(parts.change, isNumber(angle) && isNumber(before) ? signedDegrees(before - angle) : NONE);
}

function paintRows(rows, ranking, index) {
  const concepts = ranking.steps[index] ?? [];
  rows.forEach((parts, place) => {
    const concept = concepts[place];
    if (parts.row.hidden === Boolean(concept)) parts.row.hidden = !concept;
    if (concept) paintRow(parts, concept, index, ranking);
  });
}
