// The command bar: what could be meant while somebody types, errors in place, help as a dialog.
// A combobox with a list: https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
const form = document.querySelector("form.command");
const input = form.querySelector("#command");
const complaint = form.querySelector("#complaint");
const help = document.querySelector("#help");
const PAUSE_MS = 90;

const list = document.createElement("ul");
list.id = "completions";
list.className = "completions";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Completions");
list.hidden = true;
form.append(list);
input.setAttribute("role", "combobox");
input.setAttribute("aria-autocomplete", "list");
input.setAttribute("aria-controls", list.id);
input.setAttribute("aria-expanded", "false");

let asked = 0;
let timer = 0;

function show(completions) {
  list.replaceChildren(...completions.map(({ line, hint, is_whole: whole }, at) => {
    const item = document.createElement("li");
    item.id = `completion-${at}`;
    item.setAttribute("role", "option");
    item.dataset.line = line;
    if (!whole) item.dataset.more = "";
    const [text, note] = [document.createElement("span"), document.createElement("span")];
    text.textContent = line;
    note.textContent = hint;
    note.className = "muted";
    item.append(text, note);
    return item;
  }));
  list.hidden = completions.length === 0;
  input.setAttribute("aria-expanded", String(!list.hidden));
  select(null);
}

function hide() {
  asked += 1;
  clearTimeout(timer);
  show([]);
}

function select(item) {
  chosen()?.removeAttribute("aria-selected");
  if (!item) return input.removeAttribute("aria-activedescendant");
  item.setAttribute("aria-selected", "true");
  item.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", item.id);
}

function chosen() {
  return list.querySelector('[aria-selected="true"]');
}

function move(step) {
  const items = [...list.children];
  const at = items.indexOf(chosen()) + step;
  select(at < -1 ? items.at(-1) : items[at] ?? null);
}

async function complete() {
  const number = ++asked;
  const address = `${form.dataset.completions}?${new URLSearchParams({ line: input.value })}`;
  const answer = await fetch(address).catch(() => null);
  if (number !== asked || !answer?.ok || document.activeElement !== input) return;
  show(await answer.json());
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(complete, PAUSE_MS);
}

function take(item) {
  input.value = item.dataset.line;
  if ("more" in item.dataset) return complete();
  hide();
  return form.requestSubmit();
}

function complain(sentence) {
  complaint.textContent = sentence;
  input.toggleAttribute("aria-invalid", Boolean(sentence));
  if (sentence) input.setAttribute("aria-describedby", complaint.id);
}

async function showHelp(address) {
  if (!help.childElementCount) {
    const answer = await fetch(address);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const text = page.querySelector("#help-text");
    text.removeAttribute("id");
    const close = document.createElement("button");
    close.textContent = "Close";
    close.autofocus = true;
    close.addEventListener("click", () => help.close());
    help.append(text, close);
  }
  help.showModal();
}

input.addEventListener("input", () => { complain(""); soon(); });
input.addEventListener("focus", soon);
input.addEventListener("blur", hide);
list.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const item = event.target.closest("li");
  if (item) take(item);
});
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (list.hidden) complete(); else move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && chosen()) {
    event.preventDefault();
    take(chosen());
  } else if (event.key === "Escape" && !list.hidden) {
    event.preventDefault();
    hide();
  }
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  hide();
  const body = new URLSearchParams(new FormData(form));
  form.setAttribute("aria-busy", "true");
  const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } })
    .catch(() => null);
  form.removeAttribute("aria-busy");
  const said = answer?.headers.get("content-type")?.includes("json") ? await answer.json() : null;
  if (!said?.address) return complain(said?.complaint ?? "The server does not answer. Try again soon.");
  if (said.address === "/help") return showHelp(said.address);
  return location.assign(said.address);
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    input.focus();
    input.select();
  }
});
document.querySelector("[data-help]").addEventListener("click", (event) => {
  event.preventDefault();
  showHelp(event.currentTarget.href);
});
