// Rows far from the screen lose their bodies and get them back when they come near.

const MARGIN_PX = 4000;

export class Virtualization {
  #observer;
  #rows = new Map();
  #hydrate;

  /**
   * @param {Element} scroller
   * @param {{marginPx?: number, hydrate: (row: Row) => void}} options `hydrate` draws a row that comes near
   */
  constructor(scroller, { marginPx = MARGIN_PX, hydrate }) {
    this.#hydrate = hydrate;
    const options = { root: scroller, rootMargin: `${marginPx}px 0px` };
    this.#observer = new IntersectionObserver((entries) => this.#moved(entries), options);
  }

  /** Watch exactly these rows. */
  watch(rows) {
    const wanted = new Map(rows.map((row) => [row.wrapper, row]));
    for (const wrapper of this.#rows.keys()) if (!wanted.has(wrapper)) this.#observer.unobserve(wrapper);
    for (const wrapper of wanted.keys()) if (!this.#rows.has(wrapper)) this.#observer.observe(wrapper);
    this.#rows = wanted;
  }

  /** Look at all rows anew. */
  restart() {
    this.#observer.disconnect();
    for (const wrapper of this.#rows.keys()) this.#observer.observe(wrapper);
  }

  stop() {
    this.#observer.disconnect();
    this.#rows.clear();
  }

  // A tab in the background draws nothing new and empties nothing.
  #moved(entries) {
    if (document.visibilityState === "hidden") return;
    for (const { target, isIntersecting } of entries) {
      const row = this.#rows.get(target);
      if (row && isIntersecting && !row.isFilled) this.#hydrate(row);
      else if (row && !isIntersecting) row.empty();
    }
  }
}
