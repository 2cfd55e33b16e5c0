// The message list: date markers, runs of one sender's messages, the unread divider, and the rows in them.
//
// What should stand there is worked out from the rows that are mounted; the document is then changed only where it
// differs.

import { h } from "../dom.js";
import { era } from "../era.js";
import { hasVariant } from "../variants.js";
import { avatar } from "./parts.js";

const LIST_LABEL = "Message list. Press right arrow key on a message to open message context menu.";

export class List {
  #tools;
  #markers = new Map();
  #runs = new Map();
  #divider = null;
  #end = era().isOldNesting ? [h("div")] : []; // an empty place after the newest message

  /** @param {object} tools what the drawing functions need */
  constructor(tools) {
    this.#tools = tools;
    this.node = h("div", {
      tabindex: "0",
      "data-tab": "8",
      role: hasVariant(tools.config, "application_role") ? "application" : null,
      "aria-label": era().isOldNesting ? null : LIST_LABEL,
      class: "messages",
    });
  }

  /**
   * Mount exactly these rows, oldest first.
   *
   * @param {Row[]} rows
   * @param {{beforeId: string, count: number}|null} unread where the divider stands
   */
  show(rows, unread) {
    const items = this.#arrange(rows, unread);
    for (const { rows: run = [] } of items) {
      run.forEach((row, position) => row.placed({ first: position === 0, last: position === run.length - 1 }));
    }
    const taken = new Set();
    const nodes = items.map((item) => (item.rows ? this.#runNode(item.rows, taken) : item.node));
    this.#runs = new Map(items.flatMap((item, position) => (item.rows ?? []).map((row) => [row, nodes[position]])));
    this.#markers = new Map(items.filter((item) => item.day).map((item) => [item.day, item.node]));
    arrange(this.node, [...nodes, ...this.#end]);
  }

  /** The date markers in the list, oldest first. */
  get markers() {
    return [...this.#markers.values()];
  }

  // A marker stands before the first row and wherever the day changes; it and the divider end a run.
  #arrange(rows, unread) {
    const items = [];
    let day = null;
    let run = null;
    for (const row of rows) {
      const ownDay = this.#tools.format.dayKey(row.entry.row.t);
      if (ownDay !== day) {
        day = ownDay;
        run = null;
        items.push({ day, node: this.#marker(day, row.entry.row.t) });
      }
      if (unread && row.entry.row.id === unread.beforeId) {
        run = null;
        items.push({ node: this.#unreadDivider(unread.count) });
      }
      if (run && !row.isNotice && sameSide(run.rows[0], row)) run.rows.push(row);
      else {
        const item = { rows: [row] };
        items.push(item);
        run = row.isNotice ? null : item;
      }
    }
    return items;
  }

  #marker(day, t) {
    const words = this.#tools.format.dateMarker(t);
    const old = this.#markers.get(day);
    if (old) {
      const text = old.querySelector("span");
      if (text.textContent !== words) text.textContent = words;
      return old;
    }
    return dateMarker(words);
  }

  #unreadDivider(count) {
    const words = count === 1 ? "1 unread message" : `${count} unread messages`;
    this.#divider ??= h("div", { class: "unread-divider" }, h("span", { "aria-live": "polite" }, h("span", {}, words)));
    return this.#divider;
  }

  // A run that goes on keeps its node, whichever end grew.
  #runNode(rows, taken) {
    const known = rows.map((row) => this.#runs.get(row)).find((node) => node && !taken.has(node));
    const node = known ?? h("div", { class: "x1n2onr6 run" });
    taken.add(node);
    const picture = this.#picture(rows[0], node);
    arrange(node, [...(picture ? [picture] : []), ...rows.map((row) => row.element)]);
    return node;
  }

  #picture({ entry, isNotice }, node) {
    if (!this.#tools.isGroup || entry.own || isNotice) return null;
    const { name, isSaved, pushname, phone } = entry.sender;
    const old = node.firstElementChild;
    if (old?.dataset.testid === "group-chat-profile-picture") return old;
    return h(
      "div",
      {
        class: "run-picture",
        "data-testid": "group-chat-profile-picture",
        tabindex: "0",
        role: "button",
        "aria-label": `Open chat details for ${isSaved || !pushname ? name : `Maybe ${pushname} ${phone ?? ""}`.trim()}`,
      },
      avatar(28),
    );
  }
}

/** A date between days: no id, no role. Since summer it opens a calendar. */
export function dateMarker(words) {
  return h(
    "div",
    { tabindex: "-1", class: "date-marker" },
    h("div", era().isOldNesting ? {} : { role: "button", tabindex: "0" }, h("span", { dir: "auto" }, words)),
  );
}

function sameSide(a, b) {
  return a.entry.own === b.entry.own && (a.entry.own || a.entry.sender.jid === b.entry.sender.jid);
}

// Make `wanted` the children of `parent` without touching those that stay where they are.
function arrange(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!kept.has(child)) child.remove();
  let next = parent.firstChild;
  for (const node of wanted) {
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  }
}
