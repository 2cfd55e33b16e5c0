// The field above the list. Its label is empty while it holds a query; Escape and the cross clear it.

import { h, plainIcon } from "./dom.js";
import { TEXT_CLASS } from "./era.js";

const LABEL = "Search or start a new chat";
const EDITABLE_LABEL = "Search input textbox";
const SETTLES_MS = 300; // The real field waits this long after the last key.

export class SearchBox {
  #input;
  #clear;
  #timer = null;
  #onQuery;
  #query = "";
  #isEditable;

  /**
   * @param {(query: string) => void} onQuery called with "" when the search ends
   * @param {boolean} isEditable whether the field is an editable element, as in older releases
   */
  constructor(onQuery, isEditable) {
    this.#isEditable = isEditable;
    this.#onQuery = onQuery;
    const on = { input: () => this.#typed(), keydown: (event) => event.key === "Escape" && this.#end() };
    this.#input = isEditable ? editable(on) : input(on);
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

  /** Put a query into the field, as if it had been typed. */
  enter(query) {
    if (this.#isEditable) this.#input.replaceChildren(h("p", { class: TEXT_CLASS }, query));
    else this.#input.value = query;
    this.#typed();
  }

  #typed() {
    const query = this.#isEditable ? this.#input.innerText.trim() : this.#input.value;
    if (!this.#isEditable) this.#input.setAttribute("aria-label", query ? "" : LABEL);
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
      {
        type: "button",
        tabindex: 0,
        "aria-label": this.#isEditable ? "Cancel search" : "End icon button",
        on: { click: press },
      },
      plainIcon("ic-close"),
    );
  }

  #end() {
    clearTimeout(this.#timer);
    if (this.#isEditable) this.#input.replaceChildren(emptyLine());
    else this.#input.value = "";
    this.#typed();
  }

  #report(query) {
    const trimmed = query.trim();
    if (trimmed === this.#query) return;
    this.#query = trimmed;
    this.#onQuery(trimmed);
  }
}

function input(on) {
  return h("input", {
    role: "textbox",
    "aria-label": LABEL,
    dir: "ltr",
    id: "_r_9_",
    placeholder: LABEL,
    type: "text",
    value: "",
    "data-tab": 3,
    autocomplete: "off",
    on,
  });
}

function editable(on) {
  const attributes = { contenteditable: "true", role: "textbox", "data-tab": 3, "data-lexical-editor": "true" };
  const words = { title: EDITABLE_LABEL, "aria-label": EDITABLE_LABEL };
  return h("div", { ...attributes, ...words, tabindex: 3, class: "search-editable", on }, emptyLine());
}

function emptyLine() {
  return h("p", { class: TEXT_CLASS }, h("br"));
}
