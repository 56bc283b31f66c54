// Keeps the first page up to date: an event says that something may have changed, the fragment says what.
"use strict";
(() => {
  const live = document.getElementById("live");
  const lost = document.getElementById("lost");
  const clock = document.getElementById("clock");
  const line = document.getElementById("line");
  if (!live || !window.EventSource || !window.fetch) return;

  let shown = null;    // the fragment on the page, once it has been fetched
  let busy = false;    // a fetch is under way
  let again = false;   // something came in meanwhile
  let source = null;

  function connected(yes) {
    line.classList.toggle("off", !yes);
    const words = yes ? "" : lost.dataset.lost;
    if (lost.textContent !== words) lost.textContent = words;
  }

  // Swaps the fragment, keeping what the reader has opened or closed, and where they are.
  function swap(html) {
    if (html === shown) return;
    const focus = document.activeElement;
    const inside = live.contains(focus) ? focus : null;
    const kept = new Map();
    for (const part of live.querySelectorAll("details[id]")) {
      if (part.dataset.touched) kept.set(part.id, part.open);
    }
    const path = inside && (inside.getAttribute("href") || (inside.parentElement && inside.parentElement.id));
    live.innerHTML = html;
    shown = html;
    for (const [id, open] of kept) {
      const part = document.getElementById(id);
      if (part) { part.open = open; part.dataset.touched = "1"; }
    }
    if (!path) return;
    for (const element of live.querySelectorAll("a[href], summary")) {
      if (element.getAttribute("href") === path || element.parentElement.id === path) {
        element.focus({ preventScroll: true });
        break;
      }
    }
  }

  async function refresh() {
    if (document.hidden) { again = true; return; }
    if (busy) { again = true; return; }
    busy = true;
    again = false;
    try {
      const answer = await fetch(live.dataset.fragment, { cache: "no-cache" });
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
    source = new EventSource(live.dataset.events);
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
  live.addEventListener("click", (event) => {
    const summary = event.target.closest("summary");
    if (summary) summary.parentElement.dataset.touched = "1";
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && again) refresh(); });
  window.addEventListener("pagehide", () => { if (source) source.close(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  document.documentElement.classList.add("script");
  listen();
})();
