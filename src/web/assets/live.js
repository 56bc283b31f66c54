// Keeps the first page up to date: an event says that something may have changed, the fragment says what.
"use strict";
(() => {
  const line = document.getElementById("line");
  const lost = document.getElementById("lost");
  const clock = document.getElementById("clock");
  if (!line || !window.EventSource || !window.fetch) return;

  const shown = new Map();   // the markup of each part as it came
  for (const part of document.querySelectorAll(".part")) shown.set(part.id, part.innerHTML);
  let busy = false;    // a fetch is under way
  let again = false;   // something came in meanwhile
  let source = null;

  function connected(yes) {
    line.classList.toggle("off", !yes);
    const words = yes ? "" : lost.dataset.lost;
    if (lost.textContent !== words) lost.textContent = words;
  }

  // Swaps the parts that differ, keeping what the reader has opened or closed, and where they are.
  function swap(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const { day } = fresh.querySelector(".part").dataset;
    if (day !== line.dataset.day) { location.replace(line.dataset.today); return; }   // it is past midnight
    for (const part of fresh.querySelectorAll(".part")) {
      const old = document.getElementById(part.id);
      if (!old || shown.get(part.id) === part.innerHTML) continue;
      const focus = old.contains(document.activeElement) ? nameOf(document.activeElement) : null;
      shown.set(part.id, part.innerHTML);
      for (const details of part.querySelectorAll("details[id]")) {
        const before = document.getElementById(details.id);
        if (before && before.dataset.touched) {
          details.open = before.open;
          details.dataset.touched = "1";
        }
      }
      old.replaceChildren(...part.childNodes);
      if (!focus) continue;
      const again = Array.from(old.querySelectorAll("a[href], summary")).find((e) => nameOf(e) === focus);
      if (again) again.focus({ preventScroll: true });
    }
  }

  function nameOf(element) {
    return element.getAttribute("href") || element.parentElement.id;
  }

  async function refresh() {
    if (document.hidden) { again = true; return; }
    if (busy) { again = true; return; }
    busy = true;
    again = false;
    try {
      const answer = await fetch(line.dataset.fragment, { cache: "no-cache" });
      if (!answer.ok) throw new Error(String(answer.status));
      swap(await answer.text());
      connected(true);
    } catch (error) {
      connected(false);
    }
    busy = false;
    if (again && !document.hidden) refresh();
  }

  function listen() {
    source = new EventSource(line.dataset.events);
    source.onmessage = (event) => {
      clock.textContent = JSON.parse(event.data).clock;
      refresh();
    };
    source.onerror = () => {
      connected(false);
      // Refused outright (too many listeners, or a restart): the browser gives up, we do not.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 15000);
    };
  }

  // What the reader opens or closes by hand stays so.
  document.addEventListener("click", (event) => {
    const summary = event.target.closest("summary");
    if (summary) summary.parentElement.dataset.touched = "1";
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && again) refresh(); });
  window.addEventListener("pagehide", () => { if (source) source.close(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  document.documentElement.classList.add("script");
  listen();
})();
