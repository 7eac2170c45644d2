// A field with suggestions is named by its value alone, and so by nothing while it is empty. Give it its label's name.
"use strict";
{
  const nameSuggestions = () => {
    for (const select of document.querySelectorAll("select.admin-autocomplete")) {
      const shown = select.nextElementSibling?.querySelector(".select2-selection__rendered");
      const name = select.getAttribute("aria-label") || select.labels?.[0]?.textContent.trim();
      if (shown && name) {
        shown.setAttribute("aria-label", name);
      }
    }
  };
  // jQuery keeps the order of what waits for it: the fields are made before they are named.
  window.addEventListener("load", () => window.django?.jQuery?.(nameSuggestions));
  document.addEventListener("formset:added", () => setTimeout(nameSuggestions));
}
