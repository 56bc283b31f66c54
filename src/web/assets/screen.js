// A counter screen: fetches the board, lets its signs take turns, and says what has been in view. Keeps the last board over a lost
// network and a restart; what is older than half a day is not shown, because a sign may have been taken back meanwhile.
"use strict";
(() => {
  const POLL = 10e3, SAY = 30e3, IN_VIEW = 5e3, LEAST = 8e3, MOST = 30e3, A_LETTER = 90, OLDEST = 12 * 3600e3;
  const { body } = document, say = body.dataset, el = (id) => document.getElementById(id);
  const base = "/man-hinh/" + say.channel, kept = "loa " + say.channel;
  const recall = (name) => { try { return localStorage.getItem(kept + name); } catch (_) { return null; } };
  const keep = (name, value) => { try { localStorage.setItem(kept + name, value); } catch (_) { /* a full or forbidden store */ } };
  // Headers take no letters with marks, so the key goes as it stands in an address.
  const plain = (text) => { try { return decodeURIComponent(text); } catch (_) { return text; } };
  const key = encodeURIComponent(plain(location.hash.slice(1))) || recall(" key") || "";
  if (key) keep(" key", key);

  let board = null, got = 0, offset = 0, refused = false, lost = false;
  let current = null, since = 0, ends = 0, said = 0, fetched = 0;
  const shown = new Set(), told = new Set();
  const now = () => Date.now() + offset;

  const take = (text, at) => {
    board = JSON.parse(text);
    got = at;
    // After a restart the screen's own clock has to do.
    offset = at === Date.now() || Date.now() - at < 2e3 ? board.now - Date.now() : offset;
  };
  const old = recall(" board"), oldAt = Number(recall(" at"));
  if (old && oldAt) try { take(old, oldAt); offset = Number(recall(" offset")) || 0; } catch (_) { board = null; }

  const call = (path, options) => {
    const stop = new AbortController(), timer = setTimeout(() => stop.abort(), 8e3);
    const headers = { authorization: "Bearer " + key };
    return fetch(base + path, { cache: "no-store", signal: stop.signal, headers, ...options }).finally(() => clearTimeout(timer));
  };

  const look = async () => {
    try {
      const answer = await call("/bang");
      refused = answer.status === 401 || answer.status === 404;
      if (refused) { board = null; return; }
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text(), at = Date.now();
      take(text, at);
      lost = false;
      keep(" board", text); keep(" at", at); keep(" offset", offset);
    } catch (_) { lost = true; }
  };

  const report = async () => {
    const names = [...shown].filter((name) => !told.has(name));
    const answer = await call("/dang-hien", { method: "POST", body: JSON.stringify({ shown: names, signs: signs().length }) }).catch(() => null);
    // Until it is taken it is said again.
    if (answer && answer.ok) names.forEach((name) => told.add(name));
  };

  const signs = () => {
    if (!board || Date.now() - got > OLDEST) return [];
    return board.signs.filter((sign) => now() < sign.until);
  };

  const fit = () => {
    const box = el("sign");
    let low = 12, high = innerHeight / (box.className ? 12 : 3);
    for (let round = 0; round < 9; round++) {
      const size = (low + high) / 2;
      box.style.fontSize = size + "px";
      const fits = box.scrollHeight <= box.clientHeight && box.scrollWidth <= box.clientWidth;
      if (fits) low = size; else high = size;
    }
    box.style.fontSize = low + "px";
  };

  const put = (sign, words) => {
    el("title").textContent = sign ? sign.title : "";
    el("text").textContent = sign ? sign.text : words;
    el("sign").className = sign ? "" : "empty";
    body.className = sign && sign.urgent ? "urgent" : "";
    fit();
  };

  let drawn = "";
  const draw = () => {
    const all = signs(), at = performance.now();
    const here = all.findIndex((sign) => current && sign.delivery === current);
    // What nobody has seen yet comes next.
    const fresh = all.findIndex((sign) => !shown.has(sign.delivery));
    let next = here;
    if (here < 0 || at >= ends) next = fresh >= 0 ? fresh : all.length ? (here + 1) % all.length : -1;
    if (next >= 0 && (next !== here || at >= ends)) {
      const sign = all[next];
      if (next !== here) since = at;
      current = sign.delivery;
      ends = at + Math.min(MOST, Math.max(LEAST, (sign.title.length + sign.text.length) * A_LETTER));
    }
    if (next < 0) current = null;
    const words = refused ? say.key : board && Date.now() - got > OLDEST ? say.old : say.nothing;
    const sign = all[next], picture = JSON.stringify([sign, words, innerWidth, innerHeight]);
    if (picture !== drawn) { drawn = picture; put(sign, words); }
    if (current && !document.hidden && at - since >= IN_VIEW) shown.add(current);
    if (board && board.ward) el("ward").textContent = board.ward;
    const hour = (at) => {
      const options = { hour: "2-digit", minute: "2-digit", hour12: false };
      try { return new Date(at).toLocaleTimeString("vi", { ...options, timeZone: board.zone }); } catch (_) { return new Date(at).toLocaleTimeString("vi", options); }
    };
    el("clock").textContent = hour(now());
    const note = lost && board ? say.lost.replace("{at}", hour(got + offset)) : sign && sign.urgent ? say.urgent : "";
    if (el("note").textContent !== note) el("note").textContent = note;
    const dots = all.length > 1 ? all.map((_, index) => (index === next ? "on" : "")).join() : "";
    if (el("dots").dataset.at !== dots) {
      el("dots").dataset.at = dots;
      el("dots").replaceChildren(...(dots ? all : []).map((_, index) => Object.assign(document.createElement("i"), { className: index === next ? "on" : "" })));
    }
  };

  const beat = async () => {
    const at = performance.now();
    if (!fetched || at - fetched >= POLL) { fetched = at; await look(); }
    draw();
    const news = [...shown].some((name) => !told.has(name));
    if (!document.hidden && !refused && board && !lost && (news || !said || at - said >= SAY)) { said = at; await report(); }
  };
  let busy = false;
  setInterval(() => { if (!busy) { busy = true; beat().finally(() => { busy = false; }); } }, 500);
  addEventListener("resize", draw);
  // Keeps the screen from going dark, where the browser lets it.
  const wake = () => navigator.wakeLock && navigator.wakeLock.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });
  wake();
  if (navigator.serviceWorker) {
    const { serviceWorker } = navigator;
    serviceWorker.register("/man-hinh/tho.js").catch(() => {});
    // What came before the worker was there has to be kept as well.
    const files = [location.pathname + location.search, document.querySelector("link").href, document.querySelector("script").src];
    serviceWorker.ready.then((at) => at.active.postMessage(files)).catch(() => {});
  }
})();
