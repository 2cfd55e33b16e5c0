// Messages of businesses: a text, what stands around it, and buttons under it.

import { h } from "../../dom.js";
import * as parts from "../parts.js";

export function business(entry, tools) {
  const { body, footer, price, buttons = [] } = entry.row.body;
  const copied = parts.copyable(
    entry,
    tools,
    price ? h("div", { class: "card" }, h("div", {}, h("img", { alt: "", draggable: "false" })), h("div", {}, price)) : null,
    parts.textOf(entry, tools, body ?? ""),
    footer ? h("div", { class: "footer" }, h("span", { dir: "auto", class: "_ao3e" }, footer)) : null,
    h("div", {}, parts.meta(entry, tools)),
  );
  const lines = buttons.map((words) => h("button", { role: "button", tabindex: "0" }, h("div", {}, words)));
  return {
    content: h(
      "div",
      {},
      parts.forwarded(entry),
      parts.author(entry, tools),
      copied,
      lines.length > 0 ? h("div", { class: "card-buttons" }, lines) : null,
    ),
  };
}
