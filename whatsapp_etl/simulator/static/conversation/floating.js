// What floats over the message list: the date while one scrolls, and the button back to the newest message.

import { h, icon } from "../dom.js";
import { dateMarker } from "./list.js";

const DATE_STAYS_MS = 1500;
const AWAY_PX = 300;

/** A copy of the date marker of the top visible row; the one in the list is hidden while it stands. */
export class FloatingDate {
  #scroller;
  #list;
  #timer = null;
  #hidden = null;
  #isAsked = false;

  constructor(scroller, list) {
    this.#scroller = scroller;
    this.#list = list;
    this.node = h("div", { class: "floating-date" }, h("div", {}, h("span")));
    scroller.addEventListener("scroll", () => this.#ask(), { passive: true });
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #ask() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#show();
    });
  }

  #show() {
    const { top } = this.#scroller.getBoundingClientRect();
    const current = this.#list.markers.findLast((marker) => marker.getBoundingClientRect().top <= top + 8);
    clearTimeout(this.#timer);
    if (!current) return this.#hide();
    if (current !== this.#hidden) {
      this.#reveal();
      current.style.visibility = "hidden";
      this.#hidden = current;
    }
    this.node.firstElementChild.replaceChildren(dateMarker(current.textContent));
    this.#timer = setTimeout(() => this.#hide(), DATE_STAYS_MS);
  }

  #reveal() {
    this.#hidden?.style.removeProperty("visibility");
    this.#hidden = null;
  }

  #hide() {
    this.#reveal();
    this.node.firstElementChild.replaceChildren(h("span"));
  }
}

/** The button that leads to the newest message, with the number of those that came meanwhile. */
export class BottomButton {
  #onClick;
  #count = 0;
  #button = null;

  constructor(onClick) {
    this.#onClick = onClick;
    this.node = h("span", { class: "bottom-button" });
  }

  /** One more message came while the reader was elsewhere. */
  arrived() {
    this.#count += 1;
    this.#button = null;
    this.node.replaceChildren();
  }

  /** @param {number} distance pixels to the end of the list */
  show(distance, hasMoreBelow) {
    const isAway = hasMoreBelow || distance > AWAY_PX;
    if (!isAway) this.#count = 0;
    if (isAway === (this.#button !== null)) return;
    this.#button = isAway ? this.#draw() : null;
    this.node.replaceChildren(...(this.#button ? [this.#button] : []));
  }

  #draw() {
    const badge =
      this.#count > 0
        ? h("span", { "aria-label": `${this.#count} unread messages`, class: "badge" }, String(this.#count))
        : null;
    const attributes = {
      tabindex: "0",
      "data-tab": "7",
      "aria-disabled": "false",
      type: "button",
      "aria-label": "Scroll to bottom",
      on: { click: () => this.#onClick() },
    };
    return h("button", attributes, icon("ic-chevron-down-wide"), badge);
  }
}
