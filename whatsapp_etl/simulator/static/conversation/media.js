// Files that the page fetches: real bytes behind blob: addresses, fetched once, when they come near the screen.

import { fileAddress } from "./keys.js";
import { pause } from "./pause.js";

const NEAR_PX = 600;

export class Media {
  #config;
  #states = new Map();
  #viewers = new Map();
  #watched = new Map();
  #observer;
  #isClosed = false;

  /**
   * @param {Element} scroller
   * @param {() => object} config `auto_download` and `delays.image_ms`
   */
  constructor(scroller, config) {
    this.#config = config;
    const options = { root: scroller, rootMargin: `${NEAR_PX}px 0px` };
    this.#observer = new IntersectionObserver((entries) => this.#moved(entries), options);
  }

  /**
   * Call `draw({state, url})` now and at each change; states are waiting, fetching, done and gone.
   *
   * @returns {() => void} ends it
   */
  show(row, draw, node) {
    const viewer = { draw };
    const viewers = this.#viewers.get(row.id) ?? new Set();
    this.#viewers.set(row.id, viewers.add(viewer));
    const state = this.#stateOf(row);
    draw(state);
    if (state.state === "fetching" && !state.isStarted) this.#watch(node, row);
    return () => {
      viewers.delete(viewer);
      this.#watched.delete(node);
      this.#observer.unobserve(node);
    };
  }

  /** Fetch a row's file, whether or not it is near. */
  async fetch(row) {
    if (this.#stateOf(row).isStarted) return;
    this.#set(row, { state: "fetching", isStarted: true });
    await pause(this.#config().delays.image_ms);
    const blob = row.body.expired ? null : await fetched(fileAddress(row));
    if (this.#isClosed) return;
    if (blob) this.#set(row, { state: "done", url: URL.createObjectURL(blob), isStarted: true });
    else this.#set(row, { state: "gone" });
  }

  /** Give all memory back. */
  close() {
    this.#isClosed = true;
    this.#observer.disconnect();
    for (const { url } of this.#states.values()) if (url) URL.revokeObjectURL(url);
    this.#states.clear();
  }

  #stateOf(row) {
    const idle = this.#config().auto_download === false ? "waiting" : "fetching";
    return this.#states.get(row.id) ?? { state: row.filehash ? idle : "gone" };
  }

  #set(row, state) {
    this.#states.set(row.id, state);
    for (const { draw } of this.#viewers.get(row.id) ?? []) draw(state);
  }

  #watch(node, row) {
    this.#watched.set(node, row);
    this.#observer.observe(node);
  }

  #moved(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.#watched.get(target);
      if (!row || !isIntersecting) continue;
      this.#observer.unobserve(target);
      this.fetch(row);
    }
  }
}

async function fetched(address) {
  const answer = await fetch(address).catch(() => null);
  return answer?.ok ? answer.blob() : null;
}
