// The header of the open chat: picture, title, and for groups who is in it.

import { h, icon, plainIcon } from "../dom.js";
import { era } from "../era.js";
import { emojiImage } from "./emoji.js";

const EMOJI = new RegExp("\\p{RGI_Emoji}", "v");
const FLIP_MS = 400;
// A very large group has no list of members here, a large one a list that is cut.
const MOST_NAMED = 100;
const VERY_LARGE = 257;
const GROUP_HINT = "click here for group info";

export class Header {
  #ctx;
  #chatId;
  #title = h("div", { class: "chat-title" });
  #subtitle = h("div", { class: "chat-subtitle" });
  #flips = 0;

  constructor(ctx, chatId) {
    this.#ctx = ctx;
    this.#chatId = chatId;
    const isGroup = chatId.endsWith("@g.us");
    const picture = h(
      "div",
      { style: "height: 40px", class: "avatar" },
      h("div", {}, icon(isGroup ? "default-group-refreshed" : "default-contact-refreshed")),
    );
    const subtitle = isGroup ? this.#subtitle : null;
    const info = era().isOldNesting
      ? twoButtons(picture, this.#title, subtitle)
      : oneButton(picture, [this.#title, subtitle]);
    this.node = h("header", { "data-testid": "conversation-header", class: "chat-header" }, info, buttons());
    if (isGroup) this.#subtitle.append(h("span", { class: "_ao3e _aupe" }, GROUP_HINT));
    this.refresh();
  }

  /** Draw what may have changed: the title, and the members of a group. */
  refresh() {
    const { store } = this.#ctx;
    const isOwn = store.isOwnChat?.(this.#chatId);
    const words = store.title(this.#chatId);
    const title = h(
      "span",
      {
        dir: "auto",
        title: era().hasTitledHeader ? words : null,
        "data-testid": "conversation-info-header-chat-title",
        class: "_ao3e",
        style: "min-height: 0px",
      },
      withEmoji(words),
    );
    this.#title.replaceChildren(title, ...(isOwn ? [h("span", {}, " (You)")] : []));
  }

  /** Name the members, once they are known; until then the header invites to click it. */
  showMembers() {
    const names = this.#memberNames();
    if (names === null) return;
    if (this.#ctx.config().typing && this.#isFlipped()) {
      this.#subtitle.replaceChildren(h("span", { class: "_ao3e _aupe" }, "typing…"));
      return;
    }
    const attributes = {
      title: names,
      "data-testid": "selectable-text",
      class: "_ao3e _aupe copyable-text",
      style: "min-height: 0px",
    };
    this.#subtitle.replaceChildren(h("span", attributes, withEmoji(names)));
  }

  // While somebody types, the subtitle changes between the members and that.
  #isFlipped() {
    setTimeout(() => this.node.isConnected && this.showMembers(), FLIP_MS);
    this.#flips += 1;
    return this.#flips % 2 === 1;
  }

  // Saved names first, then numbers, oneself last.
  #memberNames() {
    const { store, me } = this.#ctx;
    const members = store.participants(this.#chatId)?.participants;
    if (!members) return null;
    const ids = members.map((member) => (typeof member === "string" ? member : (member._serialized ?? member.id)));
    if (ids.length >= VERY_LARGE) return null;
    const others = ids.filter((id) => id !== me.id && id !== me.lid).map((id) => store.displayName(id));
    const saved = others.filter((name) => !/^[+~]/.test(name)).sort((a, b) => a.localeCompare(b));
    const numbers = others.filter((name) => /^[+~]/.test(name)).sort();
    const own = others.length < ids.length ? ["You"] : [];
    return ids.length > MOST_NAMED
      ? `${[...saved, ...numbers].slice(0, MOST_NAMED).join(", ")}…`
      : [...saved, ...numbers, ...own].join(", ");
  }
}

const BUTTON = { role: "button", tabindex: "0", "data-tab": "6" };

function oneButton(picture, names) {
  const attributes = { ...BUTTON, title: "Profile details", "data-testid": "conversation-info-header" };
  return h("div", { ...attributes, class: "chat-info" }, picture, h("div", { class: "chat-names" }, names));
}

// Until spring the picture and the names were buttons of their own.
function twoButtons(picture, title, subtitle) {
  const inside = (depth) => (depth > 0 ? h("div", {}, inside(depth - 1)) : title);
  return h(
    "div",
    { class: "chat-info" },
    h("div", { title: "Profile details", role: "button" }, picture),
    h("div", { ...BUTTON, class: "chat-names" }, inside(subtitle ? 1 : 3), subtitle),
  );
}

function buttons() {
  const isOld = era().isOldNesting;
  const titled = (title) => (isOld ? {} : { title });
  const button = (label, symbol, attributes = {}) =>
    h(
      "span",
      {},
      h(
        "button",
        {
          "data-tab": "6",
          "aria-label": label,
          "aria-disabled": "false",
          "aria-expanded": "false",
          tabindex: "0",
          type: "button",
          ...attributes,
        },
        h("div", {}, h("div", {}, h("div", {}, plainIcon(symbol)), h("div"))),
      ),
    );
  const all = [
    button("Video call", "ic-videocam", titled("Video call")),
    button("Voice call", "ic-call", titled("Voice call")),
    h("div", {}, button("Search", "ic-search")),
    h("div", {}, h("div", {}, button("Menu", "ic-more-vert", { "aria-haspopup": "menu", ...titled("Menu") }))),
  ];
  return isOld ? h("div", {}, h("div", { class: "chat-buttons" }, all)) : h("div", { class: "chat-buttons" }, all);
}

function withEmoji(words) {
  const nodes = [];
  for (const { segment } of new Intl.Segmenter().segment(words)) {
    if (EMOJI.test(segment)) nodes.push(emojiImage(segment, "emoji _ao3e"));
    else if (typeof nodes.at(-1) === "string") nodes[nodes.length - 1] += segment;
    else nodes.push(segment);
  }
  return nodes;
}
