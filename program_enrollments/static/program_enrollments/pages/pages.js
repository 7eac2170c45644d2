/* What pages can do better with JavaScript; without it, everything here has another way. */
(() => {
  "use strict";
  const root = document.querySelector(".pe");
  if (!root) return;
  root.classList.add("pe-js");

  // Times are shown in the viewer's zone from the next page on.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `pe_zone=${encodeURIComponent(zone)};path=/;max-age=31536000;samesite=lax`;

  // "/" leads to the search box, unless somebody is typing.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const search = root.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  });

  // What was typed has been searched for already: leaving the box must not load the list again, and undo what was chosen.
  root.addEventListener("change", (event) => {
    if (event.target.matches("[data-search]")) event.stopPropagation();
  }, true);

  root.addEventListener("change", (event) => {
    const all = event.target.closest("[data-choose-all]");
    const form = event.target.closest("form");
    if (!form) return;
    const boxes = [...form.querySelectorAll("[data-choose]")];
    if (all) boxes.forEach((box) => { box.checked = all.checked; });
    const count = form.querySelector("[data-chosen]");
    if (count) count.textContent = String(boxes.filter((box) => box.checked).length);
  });

  root.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const source = document.getElementById(copy.dataset.copy);
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      copy.textContent = copy.dataset.copied;
    }
    if (event.target.closest("[data-print]")) window.print();
  });
})();
