// Keeps a page as it is on the server. Parts that say `data-live` are replaced, `whole` or by `rows`.
// Nothing moves under a reader: while somebody points into a table or works in it, new rows wait
// behind a button, and what is being written or selected stays; if something comes above what is in
// view, the page is scrolled by as much. Once no part says so any more, the page rests.
const PAUSE_MS = 5000;
const FRESH_MS = 4000;

const waiting = document.createElement("button");
waiting.className = "waiting";
waiting.hidden = true;
const outdated = document.createElement("p");
outdated.className = "outdated";
outdated.setAttribute("role", "status");
const news = document.createElement("p");
news.className = "quiet-text";
news.setAttribute("role", "status");
waiting.addEventListener("click", () => { waiting.hidden = true; renew(true); });

// Not at once: the page would be laid out again before anything of it is painted.
function prepare() {
  document.querySelector("main").prepend(outdated, news);
  document.querySelector("[data-live='rows']")?.before(waiting);
}

function isBusy(part) {
  return part.matches(":hover") || part.contains(document.activeElement);
}

function isInUse(part) {
  const fields = [...part.querySelectorAll("input, textarea")];
  const selection = getSelection();
  return part.contains(document.activeElement)
    || fields.some((field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked)
    || (!selection.isCollapsed && selection.containsNode(part, true));
}

function keepOpen(part, fresh) {
  const open = [...part.querySelectorAll("details")].map((each) => [each.firstElementChild.textContent, each.open]);
  const states = new Map(open);
  for (const each of fresh.querySelectorAll("details")) {
    each.open = states.get(each.firstElementChild.textContent) ?? each.open;
  }
}

function renewWhole(part, newer) {
  if (isInUse(part) || part.isEqualNode(newer)) return;
  if (!newer) return part.remove();
  const fresh = document.importNode(newer, true);
  keepOpen(part, fresh);
  part.replaceWith(fresh);
  if (fresh.dataset.news) news.textContent = fresh.dataset.news;
}

function renewRows(part, newer, isAsked) {
  const body = part.tBodies[0];
  const come = [...newer.tBodies[0].rows].filter((row) => !document.getElementById(row.id));
  for (const row of newer.tBodies[0].rows) {
    const old = document.getElementById(row.id);
    if (old && !old.contains(document.activeElement)) old.replaceWith(document.importNode(row, true));
  }
  if (!come.length) return;
  if (isBusy(part) && !isAsked) {
    waiting.textContent = `Show ${come.length} new run${come.length === 1 ? "" : "s"}`;
    waiting.hidden = false;
    return;
  }
  waiting.hidden = true;
  const order = [...newer.tBodies[0].rows].map((row) => row.id);
  for (const row of come) {
    const fresh = document.importNode(row, true);
    fresh.classList.add("fresh");
    setTimeout(() => fresh.classList.remove("fresh"), FRESH_MS);
    const after = order.slice(order.indexOf(row.id) + 1).map((id) => document.getElementById(id)).find(Boolean);
    body.insertBefore(fresh, after ?? null);
  }
  while (body.rows.length > order.length) body.rows[body.rows.length - 1].remove();
}

// What is worked in; else the row that is in view first, if the table begins above it; without rows,
// the heading.
function findAnchor() {
  const { activeElement: used } = document;
  const { top, bottom } = used.getBoundingClientRect();
  if (used.closest("main > *") && top >= 0 && bottom <= innerHeight) return { of: () => used, top };
  const rows = [...document.querySelectorAll("[data-live='rows'] tbody tr, main:not(:has([data-live='rows'])) h2[id]")];
  const row = rows.find((each) => each.getBoundingClientRect().top >= 0);
  if (!row || row === rows[0]) return null;
  return { of: () => document.getElementById(row.id), top: row.getBoundingClientRect().top };
}

function returnTo(anchor) {
  const thing = anchor?.of();
  if (thing) window.scrollBy(0, thing.getBoundingClientRect().top - anchor.top);
}

async function renew(isAsked = false) {
  if (document.hidden || !document.querySelector("[data-live]")) return;
  if (!news.isConnected) prepare();
  const answer = await fetch(location.href).catch(() => null);
  outdated.textContent = answer?.ok ? "" : "The server does not answer: this page is not up to date.";
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const anchor = findAnchor();
  for (const part of document.querySelectorAll("[data-live]")) {
    const newer = page.querySelector(part.id ? `#${part.id}` : `[data-live="${part.dataset.live}"]`);
    if (part.dataset.live === "whole") renewWhole(part, newer);
    else if (newer) renewRows(part, newer, isAsked);
  }
  returnTo(anchor);
}

setInterval(renew, PAUSE_MS);
document.addEventListener("visibilitychange", () => renew());
