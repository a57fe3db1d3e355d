// Choices of a draft can be dragged: onto a choice to stand behind it. The arrows do the same without a mouse.
"use strict";
const form = document.getElementById("dragged");
let dragged = null;
if (form) {
  for (const item of document.querySelectorAll("[data-at]")) {
    item.draggable = true;
    item.addEventListener("dragstart", (event) => {
      event.stopPropagation();
      dragged = item;
      event.dataTransfer.setData("text/plain", item.dataset.at);
      event.dataTransfer.effectAllowed = "move";
    });
    item.addEventListener("dragend", () => { dragged = null; });
    item.addEventListener("dragover", (event) => {
      event.stopPropagation();
      if (dragged && dragged !== item && !dragged.contains(item)) {
        event.preventDefault();
        item.classList.add("over");
      }
    });
    item.addEventListener("dragleave", () => { item.classList.remove("over"); });
    item.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      item.classList.remove("over");
      const path = item.dataset.at.split(".");
      form.elements.at.value = dragged.dataset.at;
      form.elements.after.value = path.pop();
      form.elements.menu.value = path.join(".");
      form.submit();
    });
  }
}
