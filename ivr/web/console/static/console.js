// What a page can do better with a script; every page works without.
"use strict";
// The first thing that is wrong gets the focus, so that it is read out.
const wrong = document.querySelector("main [aria-invalid=true]");
if (wrong) { wrong.focus(); }
// Ask before a page with typed and unsaved words is left.
let typed = false;
document.addEventListener("input", (event) => { if (event.target.closest("form[data-keep]")) { typed = true; } });
document.addEventListener("submit", () => { typed = false; });
window.addEventListener("beforeunload", (event) => { if (typed) { event.preventDefault(); } });
// A slider is another way to fill in its field.
for (const slider of document.querySelectorAll("input[type=range][data-for]")) {
  const field = document.getElementById(slider.dataset.for);
  const follow = () => { slider.value = field.value.replace(",", "."); };
  slider.hidden = false;
  follow();
  field.addEventListener("input", follow);
  // What listens to the fieldset meets the slider's own event after the field is filled in.
  slider.addEventListener("input", () => { field.value = slider.value; });
}
// A file that is too large is told beside its field, before it is sent: the server would not read the rest of the form.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!field.matches("input[type=file][data-most]")) { return; }
  const large = [...field.files].some((file) => file.size > Number(field.dataset.most));
  field.setCustomValidity(large ? field.dataset.tooLarge : "");
  if (large) { field.reportValidity(); }
});
// Escape closes the question before a change, and leads back to what opened it.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.closest("details.confirm[open]");
  if (!open) { return; }
  open.open = false;
  open.querySelector("summary").focus();
});
