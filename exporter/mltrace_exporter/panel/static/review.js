// The review: all flags are chosen at once.
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
