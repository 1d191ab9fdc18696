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

// Only a page that came encrypted may copy.
if (!navigator.clipboard) for (const copy of document.querySelectorAll("[data-copy]")) copy.hidden = true;

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

// A form with data-keep="name" survives an expired session: its words wait in this tab until it has been sent for good
// or left by its own way out. Where they are not what the page came with, it is said.
const kept = document.getElementById("kept");
const isTick = (field) => ["checkbox", "radio"].includes(field.type);
const keepable = (form) => [...form.elements].filter((e) => e.name && !["hidden", "password", "file", "submit"].includes(e.type));
for (const form of document.querySelectorAll("form[data-keep]")) {
  const key = `keep:${form.dataset.keep}`;
  const draft = JSON.parse(sessionStorage.getItem(key) || "{}");
  for (const field of keepable(form)) {
    if (!(field.name in draft) || field.closest(".bad")) continue;
    const what = isTick(field) ? "checked" : "value";
    const came = field[what];
    field[what] = isTick(field) ? draft[field.name].includes(field.value) : draft[field.name][0];
    if (field[what] !== came) kept.hidden = false;
  }
  form.addEventListener("input", () => {
    const now = {};
    for (const field of keepable(form)) {
      now[field.name] ??= [];
      if (!isTick(field) || field.checked) now[field.name].push(field.value);
    }
    sessionStorage.setItem(key, JSON.stringify(now));
  });
  form.addEventListener("click", (event) => {
    if (event.target.closest("a:not([href^='#'])")) sessionStorage.removeItem(key);
  });
  kept.addEventListener("click", (event) => {
    if (!event.target.closest("button")) return;
    sessionStorage.removeItem(key);
    location.assign(location.pathname + location.search);
  });
}

// A request that htmx could not deliver (no network in the barn) must not pass unnoticed; ticks.js looks after its own.
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  addEventListener(name, (event) => {
    if (name !== "htmx:responseError" && event.target.closest(".sign")) return;
    const trouble = document.getElementById("trouble");
    trouble.hidden = false;
    trouble.scrollIntoView({ block: "nearest" });
  });
}
