// One row of the message list: the node that carries the id stays; its body comes and goes.

import { h, icon } from "../dom.js";
import { isNotice, isOwn, stanzaOf } from "./keys.js";
import { forwardButton, runLabel } from "./parts.js";
import { reactionBubble } from "./reactions.js";
import { drawKind, drawNotice, isEncryptionNotice } from "./rows/index.js";

export class Row {
  #tools;
  #stop = null;
  #isFilled = false;

  /**
   * @param {object} entry `{row, sender, reactions}`: what there is to show
   * @param {object} tools what the drawing functions need
   */
  constructor(entry, tools) {
    this.#tools = tools;
    this.entry = { ...entry, own: isOwn(entry.row), first: false };
    const id = stanzaOf(entry.row.id);
    this.wrapper = h("div", { "data-virtualized": "true" });
    this.node = h(
      "div",
      { tabindex: "-1", class: "x1n2onr6", "data-id": id, "data-testid": `conv-msg-${id}` },
      this.wrapper,
    );
    this.element = h("div", { tabindex: "-1", role: "row" }, this.node);
  }

  get isNotice() {
    return isNotice(this.entry.row);
  }

  get isFilled() {
    return this.#isFilled;
  }

  /** Whether it stands first in its run: only then it has a tail, an author and a label. */
  set first(isFirst) {
    if (this.entry.first === isFirst) return;
    this.entry.first = isFirst;
    if (this.#isFilled) this.fill();
  }

  /** Show other content under the same id. */
  update(changes) {
    Object.assign(this.entry, changes);
    if (this.#isFilled) this.fill();
  }

  /** Draw the body. */
  fill() {
    this.#stopWatching();
    const item = this.isNotice ? this.#notice() : this.#bubble();
    this.wrapper.replaceChildren(item);
    this.wrapper.dataset.virtualized = "false";
    this.wrapper.removeAttribute("style");
    this.#isFilled = true;
    this.#tools.fiber.attachMessage(this.node, item, this.entry.row);
  }

  /** Take the body away and keep its place. */
  empty() {
    if (!this.#isFilled) return;
    const { height } = this.wrapper.getBoundingClientRect();
    this.#stopWatching();
    this.wrapper.replaceChildren();
    this.wrapper.dataset.virtualized = "true";
    this.wrapper.style.minHeight = `${height}px`;
    this.#isFilled = false;
  }

  /** Leave the list. */
  remove() {
    this.#stopWatching();
    this.element.remove();
  }

  #stopWatching() {
    this.#stop?.();
    this.#stop = null;
  }

  #notice() {
    const bubble = h("div", { class: "notice" }, drawNotice(this.entry), h("span"), h("div"));
    const container = h("div", { "data-testid": "msg-notification-container" }, bubble, h("div"));
    const role = isEncryptionNotice(this.entry) ? "button" : null;
    return h("div", { class: "focusable-list-item x6s0dn4", role }, h("span"), container);
  }

  #bubble() {
    const { entry } = this;
    const { content, bare = false, tailless = false, forwardable = false, stop = null } = drawKind(entry, this.#tools);
    this.#stop = stop;
    const tail = entry.first && !tailless ? icon(entry.own ? "tail-out" : "tail-in") : null;
    const side = entry.own ? "x1g5lz36" : "x1ew7x2d";
    const label = runLabel(entry, this.#tools);
    const bubble = h("div", { class: bare ? "bare" : `bubble ${side}` }, label, content, h("span"), h("div"));
    const quick = h("div", { class: "quick" }, forwardable ? forwardButton() : null, h("div", {}, h("div")));
    const container = h("div", { "data-testid": "msg-container", class: "container" }, tail, bubble, quick);
    const align = entry.own ? "xuk3077" : "x1cy8zhl";
    const reactions = reactionBubble(entry.reactions) ?? h("div");
    return h("div", { class: `focusable-list-item ${align}` }, h("span"), container, reactions);
  }
}
