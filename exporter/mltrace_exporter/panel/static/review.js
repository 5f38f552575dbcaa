// The review: all flags are chosen at once, and the first runs say what was different.
const all = document.querySelector(".choose-all");
const boxes = [...document.querySelectorAll('.flagged input[name="only"]')];

function reflect() {
  const chosen = boxes.filter((box) => box.checked).length;
  const box = all.querySelector("input");
  box.checked = chosen === boxes.length;
  box.indeterminate = chosen > 0 && chosen < boxes.length;
}

if (all) {
  all.hidden = false;
  all.addEventListener("change", (event) => boxes.forEach((box) => { box.checked = event.target.checked; }));
  boxes.forEach((box) => box.addEventListener("change", reflect));
  reflect();
}

for (const place of document.querySelectorAll("[data-changes]")) {
  const answer = await fetch(place.dataset.changes).catch(() => null);
  if (!answer?.ok) continue;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const changes = page.querySelector("#changes");
  changes.removeAttribute("id");
  place.append(document.importNode(changes, true));
}
