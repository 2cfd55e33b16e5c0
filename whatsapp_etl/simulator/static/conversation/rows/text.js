// Text messages, with what may stand over the text: a quoted message, a link's preview.

import { h } from "../../dom.js";
import * as parts from "../parts.js";

export function text(entry, tools) {
  const { body } = entry.row;
  const raw = body.body ?? "";
  const single = body.quoted ? null : parts.singleEmoji(raw);
  if (single) {
    const author = parts.author(entry, tools);
    const content = h(
      "div",
      { class: `${author ? "_am2p " : ""}_am2q _am2r _am2s` },
      author && h("div", { class: "_am2m" }, author),
      h("div", { class: "_am2u _ar8h" }, single),
      h("div", {}, h("div", {}, parts.meta(entry, tools)), h("div", {}, h("div"))),
    );
    return { content: [parts.forwarded(entry), content], bare: true };
  }
  const copied = parts.copyable(
    entry,
    tools,
    parts.quoted(entry, tools),
    body.preview ? preview(body.preview) : null,
    parts.textOf(entry, tools, raw),
  );
  return {
    content: h(
      "div",
      {},
      h("div", {}, parts.forwarded(entry), parts.author(entry, tools), copied, h("div", {}, parts.meta(entry, tools))),
    ),
    forwardable: Boolean(body.preview),
    doubtful: parts.isForwardedOften(entry) && !entry.own,
  };
}

function preview({ title, description, domain }) {
  const line = (testid, words, attributes = {}) =>
    words
      ? h(
          "div",
          { "data-testid": testid, ...attributes },
          h("span", { dir: "ltr", title: testid === "link-description" ? words : null, class: "_ao3e" }, words),
        )
      : null;
  return h(
    "div",
    { "data-testid": "link-preview-container", class: "_ahy5" },
    h(
      "div",
      { class: "_ahwq" },
      h(
        "div",
        {},
        line("link-preview-title", title, { title }),
        line("link-description", description),
        line("url-element", domain),
      ),
    ),
  );
}
