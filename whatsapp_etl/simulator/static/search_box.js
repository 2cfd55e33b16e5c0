// The field above the list. Its label is empty while it holds a query; Escape and the cross clear it.

import { h, plainIcon } from "./dom.js";

const LABEL = "Search or start a new chat";
const SETTLES_MS = 300; // The real field waits this long after the last key.

export class SearchBox {
  #input;
  #clear;
  #timer = null;
  #onQuery;
  #query = "";

  /** @param {(query: string) => void} onQuery called with "" when the search ends */
  constructor(onQuery) {
    this.#onQuery = onQuery;
    this.#input = h("input", {
      role: "textbox",
      "aria-label": LABEL,
      dir: "ltr",
      id: "_r_9_",
      placeholder: LABEL,
      type: "text",
      value: "",
      "data-tab": 3,
      autocomplete: "off",
      on: { input: () => this.#typed(), keydown: (event) => event.key === "Escape" && this.#end() },
    });
    this.#clear = h("div", {});
    this.element = h(
      "div",
      { class: "_ak9t", "data-testid": "chat-list-search-container" },
      h(
        "div",
        {},
        h(
          "div",
          {},
          h(
            "div",
            {},
            h(
              "div",
              { dir: "ltr" },
              h(
                "div",
                {},
                h(
                  "div",
                  { class: "search-field" },
                  h("div", {}, plainIcon("ic-search")),
                  h("div", { class: "search-input" }, this.#input),
                  this.#clear,
                ),
              ),
            ),
          ),
        ),
      ),
      h("span"),
    );
  }

  #typed() {
    const query = this.#input.value;
    this.#input.setAttribute("aria-label", query ? "" : LABEL);
    this.#clear.replaceChildren(...(query ? [this.#clearButton()] : []));
    clearTimeout(this.#timer);
    if (!query) this.#report("");
    else this.#timer = setTimeout(() => this.#report(query), SETTLES_MS);
  }

  #clearButton() {
    const press = (event) => {
      event.preventDefault();
      this.#end();
    };
    return h(
      "button",
      { type: "button", tabindex: 0, "aria-label": "End icon button", on: { click: press } },
      plainIcon("ic-close"),
    );
  }

  #end() {
    clearTimeout(this.#timer);
    this.#input.value = "";
    this.#typed();
  }

  #report(query) {
    const trimmed = query.trim();
    if (trimmed === this.#query) return;
    this.#query = trimmed;
    this.#onQuery(trimmed);
  }
}
