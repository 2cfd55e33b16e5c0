// The composer: takes typing like the real one, and sends nothing.

import { h, icon, plainIcon } from "../dom.js";
import { era } from "../era.js";
import { TEXT_CLASS } from "./text.js";

const PLACEHOLDER = "Type a message";

/** @param {{name: string, isGroup: boolean, isReadOnly: boolean}} chat */
export function composer({ name, isGroup, isReadOnly }) {
  const inner = isReadOnly ? h("div", { class: "read-only" }, "Only admins can send messages") : box(name, isGroup);
  return h(
    "footer",
    { tabindex: "-1", class: "_ak1i" },
    h("div", { class: "copyable-area" }, h("div", {}, h("span", {}, inner))),
  );
}

function box(name, isGroup) {
  const input = h(
    "div",
    {
      "aria-activedescendant": "",
      "aria-autocomplete": "list",
      "aria-label": era().composerNamesChat ? `${PLACEHOLDER} to ${isGroup ? "group " : ""}${name}` : PLACEHOLDER,
      "aria-owns": "emoji-suggestion",
      contenteditable: "true",
      role: "textbox",
      spellcheck: "true",
      tabindex: "10",
      "aria-placeholder": PLACEHOLDER,
      "data-tab": "10",
      "data-lexical-editor": "true",
      "data-testid": "conversation-compose-box-input",
      class: "composer-input",
    },
    h("p", { class: TEXT_CLASS.replace("_ao3e ", ""), dir: "auto" }, h("br")),
  );
  const placeholder = h("div", { "aria-hidden": "true", class: "composer-placeholder" }, h("div", {}, PLACEHOLDER));
  const action = h("div", {}, voiceButton());
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) event.preventDefault();
  });
  input.addEventListener("input", () => {
    const hasText = input.textContent.trim() !== "";
    placeholder.hidden = hasText;
    action.replaceChildren(hasText ? sendButton() : voiceButton());
  });
  const attach = { "data-tab": "10", "aria-haspopup": "menu" };
  const emoji = button("Emojis, GIFs, Stickers", plainIcon("wds-ic-sticker-smiley"), { "data-tab": "10" });
  const field = h("div", { class: "composer-field" }, input, placeholder);
  const line = era().isOldNesting
    ? h(
        "div",
        { class: "_ak1r" },
        h(
          "div",
          { class: "composer", tabindex: "-1" },
          h("div", {}, h("div", {}, button("Attach", icon("plus-rounded"), attach))),
          h("div", {}, h("div", {}, emoji)),
          field,
          h("div", {}, action),
        ),
      )
    : h(
        "div",
        { class: "_ak1r composer", tabindex: "-1" },
        h("div", {}, button("Attach", icon("plus-rounded"), { ...attach, title: "Attach" })),
        h("div", {}, emoji),
        field,
        action,
      );
  return h("div", { "data-testid": "compose-box" }, line);
}

function voiceButton() {
  const record = button("Voice message", icon("mic-outlined"), { "data-tab": "11" });
  // In April it stood, against the rules of HTML, in a button of its own.
  return era().isOldNesting ? h("button", { "aria-label": "Voice message" }, h("div", {}, record)) : record;
}

function sendButton() {
  return button("Send", icon("wds-ic-send-filled"), { "data-tab": "11" });
}

function button(label, symbol, attributes) {
  const common = {
    "aria-label": label,
    "aria-disabled": "false",
    "aria-expanded": "false",
    tabindex: "0",
    type: "button",
  };
  return h(
    "span",
    {},
    h("button", { ...common, ...attributes }, h("div", {}, h("div", {}, h("div", {}, symbol), h("div")))),
  );
}
