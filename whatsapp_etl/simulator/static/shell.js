// The frame of the main screen: navigation rail, list panel, place of the conversation, banners.

import { h, icon, plainIcon } from "./dom.js";
import { era } from "./era.js";

const RAIL_TOP = [
  ["Chats", () => icon("chat-filled-refreshed")],
  ["Status", () => icon("status-refreshed")],
  ["Channels", () => icon("newsletter-outline")],
  ["Communities", () => icon("community-refreshed-32")],
];
const MEDIA = ["Media", () => plainIcon("ic-filter")];
const RAIL_BOTTOM = [
  ["Settings", () => icon("settings-refreshed")],
  ["Profile", () => h("div", { style: "height: 28px" }, h("div", {}, icon("default-contact-refreshed")))],
];

/** Builds the frame and holds its parts. */
export class Shell {
  #chatsBadge = h("div");
  #banners = h("span");
  #intro;

  /** @param {HTMLElement} root the element #app */
  constructor(root) {
    this.list = h("div", { id: "side", class: "_ak9p" });
    this.drawer = h("span");
    this.overlay = h("div");
    this.#intro = introPanel();
    this.conversation = h("div", { class: "main-column" }, this.#intro);
    this.root = h(
      "div",
      {},
      h(
        "div",
        { tabindex: -1, class: "_aiwn app-wrapper-web os-win" },
        h("div", { id: "wa-popovers-bucket" }),
        h("span"),
        h("span"),
        h("span"),
        h("span"),
        h("span"),
        h("div", { id: "expressions-panel-container" }),
        h("span"),
        h("span"),
        h(
          "div",
          {},
          h(
            "div",
            { tabindex: -1, class: "_aigs _as6h two" },
            h("div", { tabindex: -1 }, h("div")),
            this.#rail(),
            h("div", {}, h("span")),
            h(
              "div",
              { class: "drawers" },
              h("div", { class: "_aigw _as6h drawer-left" }, h("div", {}, this.drawer)),
              h("div", {}, h("div", {}, h("span"))),
            ),
            h("div", { class: "_aigw _as6h list-column" }, listHeader(), this.list),
            this.conversation,
            h("div", { class: "_aig- _as6h" }, h("span")),
            h("div"),
          ),
        ),
        this.overlay,
        h("div", {}, h("div")),
      ),
    );
    root.replaceChildren(this.root);
  }

  /** Where banners go, between the filters and the list. */
  get banners() {
    return this.#banners;
  }

  /** Show or hide the panel that stands while no chat is open. */
  showIntro(isShown) {
    if (isShown) this.conversation.prepend(this.#intro);
    else this.#intro.remove();
  }

  /** Show how many chats are unread, in the rail and in the window's title. */
  showUnread(chats) {
    document.title = chats > 0 ? `(${chats}) WhatsApp` : "WhatsApp";
    const words = `${chats} unread message${chats === 1 ? "" : "s"}`;
    this.#chatsBadge.replaceChildren(...(chats > 0 ? [h("span", { "aria-label": words }, h("span", {}, chats))] : []));
  }

  #rail() {
    const button = ([label, image], index) => {
      const isChats = label === "Chats";
      return h(
        "div",
        {},
        h(
          "span",
          {},
          h(
            "button",
            {
              "aria-pressed": isChats,
              "aria-label": label,
              tabindex: -1,
              "data-navbar-item": "true",
              "data-navbar-item-selected": isChats,
              "data-navbar-item-index": index,
            },
            h("div", {}, h("div", {}, h("div", {}, image()), isChats ? this.#chatsBadge : null)),
          ),
        ),
      );
    };
    const lower = era().hasMediaButton ? [MEDIA, ...RAIL_BOTTOM] : RAIL_BOTTOM;
    const bottom = lower.map((item, position) => button(item, RAIL_TOP.length + position));
    return h(
      "header",
      { tabindex: 0, "data-tab": 2, class: "rail" },
      h(
        "div",
        { "data-testid": "navbar" },
        h("div", { "data-testid": "navbar-primary-section" }, h("div", {}, RAIL_TOP.map(button))),
        h("div", {}, h("div", {}, bottom)),
      ),
    );
  }
}

function listHeader() {
  const button = (label, image) =>
    h(
      "div",
      {},
      h(
        "span",
        {},
        h(
          "button",
          {
            "data-tab": 2,
            "aria-label": label,
            title: era().hasTitledButtons ? label : null,
            "aria-disabled": "false",
            "aria-expanded": "false",
            "aria-haspopup": "menu",
            tabindex: 0,
            type: "button",
          },
          h("div", {}, h("div", {}, h("div", {}, image), h("div"))),
        ),
      ),
    );
  const wordmark = icon("wa-wordmark-refreshed", { label: "WhatsApp" });
  wordmark.classList.add("wordmark");
  return h(
    "header",
    {},
    h(
      "header",
      { class: "list-header" },
      h(
        "div",
        {},
        h("div", {}, h("h2", {}, h("span", {}, h("span", {}, h("span", {}, wordmark))))),
        h(
          "span",
          {},
          h("div", {}, button("New chat", icon("new-chat-outline")), button("Menu", plainIcon("ic-more-vert"))),
        ),
      ),
    ),
  );
}

function introPanel() {
  const tile = (image, text, field = null) =>
    h("button", { "data-tab": 8, tabindex: 0 }, h("div", {}, plainIcon(image)), h("span", {}, text), field);
  return h(
    "section",
    { class: "intro", "data-testid": "intro-panel" },
    h(
      "div",
      { "data-testid": "intro-panel-empty-state-action-tile-group" },
      tile("ic-description", "Send document", h("input", { type: "file", hidden: true })),
      tile("ic-person-add", "Add contact"),
    ),
  );
}
