// The sign-in sheet without network (BR-52): taps wait on this phone, in localStorage, and are sent as soon as there is
// one again. {household: {url, at, name, again}}; a second tap takes the first one back.
const notice = document.getElementById("unsent-ticks");
const key = `ticks:${location.pathname}`;
const waiting = () => JSON.parse(localStorage.getItem(key) || "{}");
const keep = (ticks) => {
  localStorage.setItem(key, JSON.stringify(ticks));
  notice.hidden = !Object.keys(ticks).length;
  for (const line of document.querySelectorAll(".sign")) line.classList.toggle("unsent", line.id.slice(1) in ticks);
};
const forget = (household) => {
  const { [household]: tick, ...others } = waiting();
  keep(others);
  return tick;
};

addEventListener("htmx:beforeRequest", (event) => {
  const tap = event.target.closest(".sign button");
  if (tap && tap.value in waiting()) {
    event.preventDefault();
    forget(tap.value);
  }
});
for (const lost of ["htmx:sendError", "htmx:timeout"]) {
  addEventListener(lost, (event) => {
    const tap = event.target.closest(".sign button");
    if (!tap) return;
    const name = tap.closest(".sign").querySelector(".sign-who").firstChild.textContent.trim();
    keep({ ...waiting(), [tap.value]: { url: tap.formAction, at: Date.now(), name } });
  });
}

let isSending = false;
async function send() {
  const ticks = Object.entries(waiting());
  if (isSending || !ticks.length) return;
  isSending = true;
  const csrf = document.querySelector("#lines [name=csrfmiddlewaretoken]").value;
  const refused = [];
  let isNews = false;
  for (const [household, tick] of ticks) {
    const ago = Math.round((Date.now() - tick.at) / 1000);
    const body = new URLSearchParams({ household, ago, csrfmiddlewaretoken: csrf });
    const answer = await fetch(tick.url, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer || answer.status >= 500) break;
    isNews = true;
    if (answer.ok && !answer.headers.has("HX-Refresh")) forget(household);
    // Signed out, or the page is from before signing in: once more after a look at it again. The second no counts.
    else if (!tick.again) keep({ ...waiting(), [household]: { ...tick, again: true } });
    else refused.push(forget(household)?.name);
  }
  isSending = false;
  if (refused.length) sessionStorage.setItem(key, refused.join(", "));
  if (isNews) location.reload();
}

const refused = sessionStorage.getItem(key);
sessionStorage.removeItem(key);
if (refused) {
  const words = document.getElementById("refused-ticks");
  words.append(` ${refused}`);
  words.hidden = false;
}
keep(waiting());
send();
addEventListener("online", send);
setInterval(send, 15000);
