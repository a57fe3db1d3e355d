// Today looks again by itself: not in a tab nobody sees, and not where somebody reads by keyboard or fills in a form.
"use strict";
const busy = (part) => part.querySelector("details.confirm[open], :focus-visible") !== null;
const isOpen = (part) => part.querySelector("details.per-queue")?.open;
let opened;
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden || busy(event.target)) { event.preventDefault(); }
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (busy(event.target)) { event.detail.shouldSwap = false; }
  if (event.target.id === "controls") { opened = isOpen(event.target); }
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "controls" && opened !== undefined) { event.target.querySelector("details.per-queue").open = opened; }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) { for (const part of ["#now", "#controls"]) { htmx.trigger(part, "look"); } }
});
