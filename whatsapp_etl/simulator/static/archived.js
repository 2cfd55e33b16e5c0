// The drawer that covers the chat list with the archived chats.

import { h, icon } from "./dom.js";
import { VirtualList } from "./virtual_list.js";

export const isArchived = ({ archive }) => Boolean(archive);

export class ArchivedDrawer {
  #place;
  #items;
  #list;
  #onClose;

  /**
   * @param {HTMLElement} place
   * @param {{items: () => object[], onClose: () => void}} options
   */
  constructor(place, { items, onClose }) {
    this.#place = place;
    this.#items = items;
    this.#onClose = onClose;
    const grid = h("div", { "aria-label": "Archived", role: "grid" });
    const scroller = h(
      "div",
      { class: "drawer-scroller", "data-scrolltracepolicy": "wa.web.archived" },
      h("div", { class: "drawer-hint" }, "These chats stay archived when new messages are received."),
      h("div", { tabindex: 0, "data-tab": 4 }, h("div", { tabindex: -1 }, grid)),
    );
    const back = h(
      "button",
      { type: "button", "data-tab": 1, "aria-label": "Back", on: { click: () => this.close() } },
      icon("back-refreshed"),
    );
    place.replaceChildren(
      h(
        "div",
        { tabindex: -1, class: "_aigv drawer" },
        h(
          "span",
          { class: "drawer-content" },
          h(
            "header",
            { class: "drawer-header" },
            h("div", {}, back),
            h("div", { class: "drawer-title" }, h("h1", {}, "Archived")),
          ),
          scroller,
        ),
      ),
    );
    this.#list = new VirtualList(scroller, grid, (element, item) => item.fill(element));
    this.refresh();
  }

  refresh() {
    this.#list.show(this.#items());
  }

  close() {
    this.#list.close();
    this.#place.replaceChildren();
    this.#onClose();
  }
}
