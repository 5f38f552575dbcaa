// Keeps a page as it is on the server. Parts that say `data-live` are replaced, `whole` or by `rows`.
// Nothing moves under a reader: while somebody points into a table or works in it, new rows wait
// behind a button; if they come above what is in view, the page is scrolled by as much.
const PAUSE_MS = 5000;
const FRESH_MS = 4000;

const waiting = document.createElement("button");
waiting.className = "waiting";
waiting.hidden = true;
const outdated = document.createElement("p");
outdated.className = "outdated";
outdated.setAttribute("role", "status");
document.querySelector("main").prepend(outdated);
waiting.addEventListener("click", () => { waiting.hidden = true; renew(true); });
document.querySelector("[data-live='rows']")?.before(waiting);

function isBusy(part) {
  return part.matches(":hover") || part.contains(document.activeElement);
}

function renewWhole(part, newer) {
  if (part.contains(document.activeElement) || part.querySelector("[open]")) return;
  part.replaceWith(document.importNode(newer, true));
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

// The row that is in view first, if the table begins above it.
function findAnchor() {
  const rows = [...document.querySelectorAll("[data-live='rows'] tbody tr")];
  const row = rows.find((each) => each.getBoundingClientRect().top >= 0);
  return row && row !== rows[0] ? { id: row.id, top: row.getBoundingClientRect().top } : null;
}

function returnTo(anchor) {
  const row = anchor && document.getElementById(anchor.id);
  if (row) window.scrollBy(0, row.getBoundingClientRect().top - anchor.top);
}

async function renew(isAsked = false) {
  if (document.hidden) return;
  const answer = await fetch(location.href).catch(() => null);
  outdated.textContent = answer?.ok ? "" : "The server does not answer: this page is not up to date.";
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const anchor = findAnchor();
  for (const part of document.querySelectorAll("[data-live]")) {
    const newer = page.querySelector(part.id ? `#${part.id}` : `[data-live="${part.dataset.live}"]`);
    if (!newer) continue;
    if (part.dataset.live === "rows") renewRows(part, newer, isAsked);
    else renewWhole(part, newer);
  }
  returnTo(anchor);
}

setInterval(renew, PAUSE_MS);
document.addEventListener("visibilitychange", () => renew());
