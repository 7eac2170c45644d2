/* What pages can do better with JavaScript; without it, everything here has another way. */
(() => {
  "use strict";
  const root = document.querySelector(".pe");
  if (!root) return;
  root.classList.add("pe-js");

  // Times are shown in the viewer's zone from the next page on.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `pe_zone=${encodeURIComponent(zone)};path=/;max-age=31536000;samesite=lax`;

  // "/" leads to the search box, unless somebody is typing, or has switched it off: speech input types such keys by chance.
  const isOff = () => localStorage.getItem("pe_slash") === "off";
  const showShortcut = () => {
    root.querySelectorAll("[data-shortcut]").forEach((one) => one.setAttribute("aria-pressed", String(!isOff())));
    root.querySelectorAll("[data-slash]").forEach((one) => { one.hidden = isOff(); });
    root.querySelectorAll("[data-search]").forEach((one) => {
      if (isOff()) one.removeAttribute("aria-keyshortcuts"); else one.setAttribute("aria-keyshortcuts", "/");
    });
  };
  showShortcut();
  root.addEventListener("click", (event) => {
    if (!event.target.closest("[data-shortcut]")) return;
    if (isOff()) localStorage.removeItem("pe_slash"); else localStorage.setItem("pe_slash", "off");
    showShortcut();
  });
  document.addEventListener("keydown", (event) => {
    if (isOff() || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const search = root.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  });

  // What was typed has been searched for already: leaving the box must not load the list again, and undo what was chosen.
  root.addEventListener("change", (event) => {
    if (event.target.matches("[data-search]")) event.stopPropagation();
  }, true);

  // A list that was loaded anew while somebody types says how long it is.
  document.addEventListener("htmx:afterSettle", () => {
    const said = root.querySelector("[data-said]");
    if (!said) return;
    const rows = root.querySelectorAll("#pe-results tbody tr").length;
    said.textContent = rows ? `${said.dataset.rows} ${rows}` : said.dataset.none;
  });

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
      const said = copy.parentElement.querySelector("[role=status]");
      if (said) said.textContent = copy.dataset.copied;
    }
    if (event.target.closest("[data-print]")) window.print();
  });
})();
