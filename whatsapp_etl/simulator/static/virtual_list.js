// A list that mounts only the rows near its viewport, each absolutely positioned.
//
// A row keeps its element while it is near; new ones are added at the end. So the order in the document is not
// the order on the screen, and the test id `list-item-<n>` is a place in the mounted slice, not an identity.

import { h, setTestId } from "./dom.js";
import { era } from "./era.js";

const OVERSCAN_ROWS = 8;
const ROW_CLASS = "x10l6tqk xh8yej3 x1g42fcv";

export class VirtualList {
  #scroller;
  #grid;
  #render;
  #rows = new Map(); // by key: {element, item}
  #items = [];
  #offsets = [0];
  #frame = null;

  /**
   * @param {HTMLElement} scroller the element that scrolls
   * @param {HTMLElement} grid the element whose height is that of all rows
   * @param {(element: HTMLElement, item: object) => void} render fills a row's element
   */
  constructor(scroller, grid, render) {
    this.#scroller = scroller;
    this.#grid = grid;
    this.#render = render;
    scroller.addEventListener("scroll", () => this.#schedule(), { passive: true });
    this.#observer = new ResizeObserver(() => this.#schedule());
    this.#observer.observe(scroller);
  }

  #observer;

  /** Show these items, each `{key, height, revision}`; a changed revision renders the row anew. */
  show(items) {
    this.#items = items;
    this.#offsets = [0];
    for (const { height } of items) this.#offsets.push(this.#offsets.at(-1) + height);
    if (!era().hasListItems) this.#grid.setAttribute("aria-rowcount", String(items.length));
    this.#grid.style.height = `${this.#offsets.at(-1)}px`;
    this.#mount();
  }

  /** Keys of the rows that are mounted. */
  get mountedKeys() {
    return [...this.#rows.keys()];
  }

  close() {
    this.#observer.disconnect();
  }

  #schedule() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#mount();
    });
  }

  #mount() {
    const [first, end] = this.#slice();
    const wanted = new Map(this.#items.slice(first, end).map((item, at) => [item.key, { item, at }]));
    for (const [key, { element }] of this.#rows) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    for (const [key, { item, at }] of wanted) this.#place(key, item, at, first, end - first);
  }

  #place(key, item, at, first, count) {
    let row = this.#rows.get(key);
    if (!row) {
      row = { element: h("div", { role: era().hasListItems ? "listitem" : "row", class: ROW_CLASS }), revision: undefined };
      this.#grid.append(row.element);
      this.#rows.set(key, row);
    }
    if (row.revision !== item.revision) {
      this.#render(row.element, item);
      row.revision = item.revision;
    }
    const top = this.#offsets[first + at];
    setTestId(row.element, `list-item-${at}`);
    row.element.style.cssText = `z-index: ${count - at}; transition: none; height: ${item.height}px; transform: translateY(${top}px);`;
  }

  #slice() {
    const above = this.#grid.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    const top = Math.max(0, -above);
    const bottom = this.#scroller.clientHeight - above;
    const last = this.#items.length;
    let first = this.#offsets.findIndex((_, at) => at < last && this.#offsets[at + 1] > top);
    if (first < 0) first = Math.max(0, last - 1);
    let end = first;
    while (end < last && this.#offsets[end] < bottom) end += 1;
    return [Math.max(0, first - OVERSCAN_ROWS), Math.min(last, end + OVERSCAN_ROWS)];
  }
}
