// The switch between light and dark, without loading the page again.
const form = document.querySelector("form.theme");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const theme = event.submitter.value;
  document.documentElement.dataset.theme = theme;
  form.querySelector(`button:not([value="${theme}"])`).focus();
  fetch(form.action, { method: "POST", body: new URLSearchParams({ theme }), redirect: "manual" });
});
