// Small comforts. Every page works without this file.

// One tap, one request: a form already on its way is not sent again. Coming back to the page frees it.
const sent = new Set();
addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.defaultPrevented) return;
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
  setTimeout(() => sent.delete(event.target), 8000);
});
addEventListener("pageshow", () => sent.clear());

addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.querySelector("[role=status]").textContent = copy.dataset.done;
  }
  if (event.target.closest("[data-print]")) print();
  const step = event.target.closest("[data-step]");
  if (step) {
    const input = step.parentElement.querySelector("input");
    if (step.dataset.step === "up") input.stepUp();
    else input.stepDown();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// What went wrong comes first for eyes, keyboard and screen reader.
document.querySelector(".error-summary")?.focus();

// The page after a successful form says so with a message; the draft has done its work then.
if (document.querySelector(".messages .success")) {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("keep:")) sessionStorage.removeItem(key);
}

// A form with data-keep="name" survives an expired session: its words wait in this tab until it has been sent for good.
const kept = (form) => [...form.elements].filter((e) => e.name && !["hidden", "password", "file", "submit"].includes(e.type));
for (const form of document.querySelectorAll("form[data-keep]")) {
  const key = `keep:${form.dataset.keep}`;
  const draft = JSON.parse(sessionStorage.getItem(key) || "{}");
  for (const field of kept(form)) {
    if (["checkbox", "radio"].includes(field.type)) {
      if (field.name in draft) field.checked = draft[field.name].includes(field.value);
    } else if (field.name in draft && !field.closest(".bad")) field.value = draft[field.name][0];
  }
  form.addEventListener("input", () => {
    const now = {};
    for (const field of kept(form)) {
      now[field.name] ??= [];
      if (!["checkbox", "radio"].includes(field.type) || field.checked) now[field.name].push(field.value);
    }
    sessionStorage.setItem(key, JSON.stringify(now));
  });
}

// A request that htmx could not deliver (no network in the barn) must not pass unnoticed.
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  addEventListener(name, () => {
    const trouble = document.getElementById("trouble");
    trouble.hidden = false;
    trouble.scrollIntoView({ block: "nearest" });
  });
}
