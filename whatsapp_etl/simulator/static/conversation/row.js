// One row of the message list: the node that carries the id stays; its body comes and goes.

import { h } from "../dom.js";
import { era } from "../era.js";
import { hasVariant } from "../variants.js";
import { albumId } from "./albums.js";
import { frame } from "./frame.js";
import { isNotice, isOwn, shownId, stanzaOf } from "./keys.js";
import { oldFrame } from "./old_frame.js";
import { drawKind, drawNotice } from "./rows/index.js";

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
    this.entry = { ...entry, own: isOwn(entry.row), first: false, last: false };
    const isAlbum = Boolean(entry.children);
    const hasOwnId = !isAlbum || (entry.row.type === "album" && hasVariant(tools.config, "album_first_id"));
    const id = hasOwnId ? shownId(entry.row.id) : albumId(entry);
    this.node = h("div", {
      tabindex: "-1",
      class: era().isOldNesting ? "_amjv" : "x1n2onr6",
      "data-id": id,
      "data-testid": `conv-msg-${hasOwnId ? stanzaOf(id) : id}`,
    });
    // An album's node is its bubble's too, and always drawn.
    this.wrapper = isAlbum ? this.node : h("div", { "data-virtualized": "true" });
    if (!isAlbum) this.node.append(this.wrapper);
    const row = h("div", { tabindex: "-1", role: hasVariant(tools.config, "no_row_role") ? null : "row" }, this.node);
    this.element = era().isOldNesting ? h("div", {}, row) : row;
  }

  get isNotice() {
    return isNotice(this.entry.row);
  }

  get isFilled() {
    return this.#isFilled;
  }

  /** Where it stands in its run: the first one has a tail, an author and a label; until spring the last one a label too. */
  placed({ first, last }) {
    const wasFirst = this.entry.first;
    Object.assign(this.entry, { first, last });
    if (!this.#isFilled) return;
    if (first !== wasFirst) this.fill();
    else if (era().isOldNesting && !this.isNotice) oldFrame.relabel(this.node, this.entry, this.#tools);
  }

  /** Show other content under the same id. */
  update(changes) {
    Object.assign(this.entry, changes);
    if (this.#isFilled) this.fill();
  }

  /** Draw the body, unless this is a row that never gets one. */
  fill() {
    if (this.#tools.config().bodiless.includes(stanzaOf(this.entry.row.id))) return;
    this.#stopWatching();
    const drawn = this.isNotice ? drawNotice(this.entry) : drawKind(this.entry, this.#tools);
    this.#stop = drawn.stop ?? null;
    const { isOldNesting } = era();
    const { notice, bubble } = isOldNesting ? oldFrame : frame;
    const item = (this.isNotice ? notice : bubble)(this.entry, drawn, this.#tools);
    this.#isFilled = true;
    if (this.entry.children) {
      this.node.className = isOldNesting ? `${item.className} _amjv` : `x1n2onr6 ${item.className}`;
      this.node.replaceChildren(...item.childNodes);
      return;
    }
    this.wrapper.replaceChildren(isOldNesting ? h("div", {}, item) : item);
    this.wrapper.dataset.virtualized = "false";
    this.wrapper.removeAttribute("style");
    if (this.entry.sender) this.#tools.fiber.attachMessage(this.node, item, this.entry.row);
  }

  /** Take the body away and keep its place. */
  empty() {
    if (!this.#isFilled || this.entry.children) return;
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
}
