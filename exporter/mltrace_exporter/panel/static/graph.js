// A drawn lineage under the hand: moved, zoomed, walked through by keys, with the essentials at hand.
// All that it shows stands in the page's list; without this script the drawing scrolls.
const figure = document.querySelector("[data-graph]");
const stage = figure.querySelector(".stage");
const svg = stage.querySelector("svg");
const full = { width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height };
const boxes = [...svg.querySelectorAll(".box")];
const lines = [...svg.querySelectorAll(".line")];
const byKey = new Map(boxes.map((box) => [box.dataset.key, box]));
const root = byKey.get(svg.dataset.root);
const SMALLEST = 0.08, LARGEST = 2.5, READABLE = 0.75, STEP = 1.3, SLOP_PX = 4;
const FEW = 400; // of more boxes not all are painted anew whenever the hand moves

// What is seen: the point at the left upper corner, and pixels of the screen for one of the drawing.
const view = { x: 0, y: 0, scale: 1 };

function show() {
  // By style: another viewBox would make the browser lay out every text again.
  svg.style.transform = `scale(${view.scale}) translate(${-view.x}px, ${-view.y}px)`;
}

function bound(scale) {
  return Math.min(LARGEST, Math.max(SMALLEST, scale));
}

function fitScale() {
  return Math.min(stage.clientWidth / full.width, stage.clientHeight / full.height, 1);
}

function fit() {
  view.scale = bound(fitScale());
  view.x = (full.width - stage.clientWidth / view.scale) / 2;
  view.y = (full.height - stage.clientHeight / view.scale) / 2;
  show();
}

// Around a point of the stage, which stays where it is.
function zoom(factor, at = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 }) {
  const scale = bound(view.scale * factor);
  view.x += at.x / view.scale - at.x / scale;
  view.y += at.y / view.scale - at.y / scale;
  view.scale = scale;
  show();
}

// The middle of a box and its size, read once: to ask the browser would lay the page out each time.
const places = new Map(boxes.map((box) => {
  const { e: x, f: y } = box.transform.baseVal.consolidate().matrix;
  const body = box.querySelector(".body");
  const [width, height] = ["width", "height"].map((name) => Number(body.getAttribute(name)));
  return [box, { x: x + width / 2, y: y + height / 2, width, height }];
}));

function place(box) {
  return places.get(box);
}

function center(box) {
  const { x, y } = place(box);
  view.x = x - stage.clientWidth / view.scale / 2;
  view.y = y - stage.clientHeight / view.scale / 2;
  show();
}

// A drawing too large to be read as a whole begins at its root.
function begin() {
  stage.style.height = `${Math.min(full.height, Math.max(320, window.innerHeight * 0.7))}px`;
  fit();
  if (view.scale >= READABLE) return;
  view.scale = Math.max(READABLE, view.scale);
  center(root);
  const { x, width } = place(root);
  const aside = stage.clientWidth / view.scale / 2 - width / 2 - 24;
  view.x += x > full.width / 2 ? -aside : aside;
  show();
}

function point(event) {
  const area = stage.getBoundingClientRect();
  return { x: event.clientX - area.left, y: event.clientY - area.top };
}

// Hands: one finger or the mouse moves, two fingers zoom.
const fingers = new Map();
let dragged = false;

stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  fingers.set(event.pointerId, point(event));
  dragged = fingers.size > 1;
});
window.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const now = point(event);
  if (!dragged && Math.hypot(now.x - before.x, now.y - before.y) < SLOP_PX) return;
  dragged = true;
  stage.classList.add("moving");
  hide();
  if (fingers.size === 2) {
    const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const far = (at) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
    zoom(far(now) / far(before), other);
  } else {
    view.x -= (now.x - before.x) / view.scale;
    view.y -= (now.y - before.y) / view.scale;
    show();
  }
  fingers.set(event.pointerId, now);
});
for (const kind of ["pointerup", "pointercancel"]) {
  window.addEventListener(kind, (event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) stage.classList.remove("moving");
  });
}
stage.addEventListener("click", (event) => {
  if (dragged) event.preventDefault();
  dragged = false;
}, true);
stage.addEventListener("dragstart", (event) => event.preventDefault());
stage.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  hide();
  zoom(Math.exp(-event.deltaY / 300), point(event));
}, { passive: false });

const moves = { in: () => zoom(STEP), out: () => zoom(1 / STEP), fit };
figure.querySelector(".zoom").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) moves[button.dataset.zoom]();
});

// The essentials of a box: its entry in the list, beside it.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
figure.append(tip);

function hide() {
  tip.hidden = true;
  svg.classList.remove("pointing");
  for (const near of svg.querySelectorAll(".near")) near.classList.remove("near");
}

function tell(box) {
  hide();
  const entry = document.getElementById(box.dataset.key);
  tip.replaceChildren(...[...entry.cloneNode(true).childNodes]);
  for (const link of tip.querySelectorAll("a")) link.replaceWith(...link.childNodes);
  tip.hidden = false;
  const area = figure.getBoundingClientRect(), at = box.querySelector(".body").getBoundingClientRect();
  const below = at.bottom - area.top + 10, above = at.top - area.top - tip.offsetHeight - 10;
  const fits = at.bottom + 10 + tip.offsetHeight < Math.max(window.innerHeight, area.bottom);
  tip.style.top = `${fits || above < 0 ? below : above}px`;
  tip.style.left = `${Math.max(8, Math.min(at.left - area.left, area.width - tip.offsetWidth - 8))}px`;
  if (boxes.length <= FEW) svg.classList.add("pointing");
  box.classList.add("near");
  for (const line of lines) {
    if (line.dataset.from !== box.dataset.key && line.dataset.to !== box.dataset.key) continue;
    line.classList.add("near");
    byKey.get(line.dataset.from).classList.add("near");
    byKey.get(line.dataset.to).classList.add("near");
  }
}

svg.addEventListener("pointerover", (event) => {
  const box = event.target.closest(".box");
  if (box && !fingers.size) tell(box);
});
svg.addEventListener("pointerout", (event) => {
  if (!event.relatedTarget?.closest?.(".box")) hide();
});

// Keys: one box is in the order of the page; arrows walk along the lines and up and down a layer.
function neighbour(box, key) {
  const own = box.dataset.key, here = place(box);
  const near = (others) => others
    .map((other) => ({ other, at: place(other) }))
    .sort((one, two) => Math.abs(one.at.y - here.y) - Math.abs(two.at.y - here.y))[0]?.other;
  if (key === "ArrowLeft") return near(lines.filter((line) => line.dataset.to === own).map((line) => byKey.get(line.dataset.from)));
  if (key === "ArrowRight") return near(lines.filter((line) => line.dataset.from === own).map((line) => byKey.get(line.dataset.to)));
  const sign = key === "ArrowUp" ? -1 : 1;
  return near(boxes.filter((other) => place(other).x === here.x && (place(other).y - here.y) * sign > 0));
}

function reach(box) {
  for (const other of boxes) other.setAttribute("tabindex", other === box ? "0" : "-1");
}

function reveal(box) {
  const { x, y, width, height } = place(box);
  const wide = stage.clientWidth / view.scale, high = stage.clientHeight / view.scale;
  const inside = x - width > view.x && x + width < view.x + wide && y - height > view.y && y + height < view.y + high;
  if (!inside) center(box);
}

const keys = { "+": moves.in, "=": moves.in, "-": moves.out, 0: fit };
figure.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const box = event.target.closest(".box");
  if (event.key in keys) keys[event.key]();
  else if (event.key === "Escape" && !tip.hidden) hide();
  else if (event.key.startsWith("Arrow") && box) {
    const next = neighbour(box, event.key);
    if (next) {
      reach(next);
      next.focus({ preventScroll: true });
    }
  } else if (event.key.startsWith("Arrow") && event.target === stage) {
    const step = 60 / view.scale;
    view.x += { ArrowLeft: -step, ArrowRight: step }[event.key] ?? 0;
    view.y += { ArrowUp: -step, ArrowDown: step }[event.key] ?? 0;
    show();
  } else return;
  event.preventDefault();
});
// On the stage: an SVG that listens for focus would itself take it.
stage.addEventListener("focusin", (event) => {
  const box = event.target.closest(".box");
  if (!box) return;
  reach(box);
  if (!box.matches(":focus-visible")) return;
  reveal(box);
  tell(box);
});
stage.addEventListener("focusout", hide);

for (const title of svg.querySelectorAll(".box > title")) title.remove();
figure.classList.add("live");
figure.querySelector(".zoom").hidden = false;
figure.querySelector(".keys").hidden = false;
reach(root);
begin();
new ResizeObserver(show).observe(stage);
