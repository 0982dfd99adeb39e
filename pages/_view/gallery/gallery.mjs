// Radio buttons behind pictures: one tab stop, arrow keys, and a name for each, by the browser.

const made = new WeakMap();
let groups = 0;

function part(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent.append(node);
  return node;
}

function tileOf(view, tile) {
  const label = document.createElement("label");
  label.className = "tile";
  const input = part("input", "", label);
  Object.assign(input, { type: "radio", name: view.group, value: String(tile.row) });
  input.addEventListener("change", () => view.send("chosen", { row: tile.row, of: view.of }));
  const picture = part("span", "picture", label);
  if (tile.src.startsWith("data:image/")) {
    const image = part("img", "", picture);
    Object.assign(image, { alt: tile.alt, decoding: "async", src: tile.src });
  } else {
    part("span", "unseen", picture).textContent = tile.alt;
  }
  part("span", "line", label).textContent = tile.line;
  const more = part("span", "more", label);
  more.textContent = more.title = tile.more;
  return label;
}

export default function gallery({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".gallery");
  let view = made.get(root);
  if (!view) made.set(root, (view = { group: `gallery-${(groups += 1)}`, of: null, tiles: "" }));
  view.send = setStateValue;
  if (!data) return;
  view.of = data.of;
  const tiles = JSON.stringify(data.tiles);
  if (view.tiles !== tiles) {
    view.tiles = tiles;
    root.querySelector("legend").textContent = data.name;
    for (const old of root.querySelectorAll(".tile")) old.remove();
    root.append(...data.tiles.map((tile) => tileOf(view, tile)));
  }
  for (const input of root.querySelectorAll("input")) input.checked = input.value === String(data.chosen);
}
