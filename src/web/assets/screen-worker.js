// Keeps the page of a counter screen, its style and its script for a restart without a network. Never what it shows: the page does that.
"use strict";
const STORE = "loa-screen";
addEventListener("install", () => self.skipWaiting());
addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
addEventListener("message", (event) => event.waitUntil(caches.open(STORE).then((store) => store.addAll(event.data)).then(() => event.source.postMessage("kept"))));
addEventListener("fetch", (event) => {
  const { request } = event, path = new URL(request.url).pathname;
  if (request.method !== "GET" || path.endsWith("/bang")) return;
  event.respondWith((async () => {
    const store = await caches.open(STORE);
    try {
      const answer = await fetch(request);
      if (answer.ok) await store.put(request, answer.clone());
      return answer;
    } catch (error) {
      return (await store.match(request)) || (await store.match(request, { ignoreSearch: true })) || Promise.reject(error);
    }
  })());
});
