// The text of a message as the page draws it: nested spans, formatting that remembers its raw form, emoji as images.

import { TEXT_CLASS } from "../era.js";
import { directionOf } from "../format.js";
import { h } from "../dom.js";
import { emojiImage } from "./emoji.js";
import { cutMarkup, onlyEmoji, parseMarkup } from "./markup.js";

export { TEXT_CLASS };
const FIRST_CUT = 769; // visible characters shown before the first "Read more"
const NEXT_CUT = 3072; // and with each click
const ZERO_WIDTH = "\u200b";

/**
 * The text block of a bubble: the text, "Read more" where it is long, and the invisible time that keeps its place.
 *
 * @param {string} raw text with markup
 * @param {Object<string, string>} mentions
 * @param {Node} spacer
 */
export function textBlock(raw, mentions, spacer) {
  const emoji = onlyEmoji(raw);
  if (emoji) return h("div", { class: "_akbu" }, largeEmoji(emoji, "_ahiv"));
  const blocks = parseMarkup(raw, mentions);
  const block = h("div", { class: "_akbu" });
  const draw = (limit) => {
    const { blocks: shown, isCut } = cutMarkup(blocks, limit);
    const more = isCut ? [" ", readMore(() => draw(limit + NEXT_CUT))] : [];
    block.replaceChildren(selectable(shown, directionOf(raw)), ...more, spacer);
  };
  draw(FIRST_CUT);
  return block;
}

/** A short text without "Read more": a poll's question, a notice, a quoted text. */
export function shortText(raw, mentions = {}) {
  return parseMarkup(raw, mentions).flatMap((block) => drawBlock(block));
}

/** Emoji alone in a message are drawn large, each twice: the sprite and the sharp one over it. */
export function largeEmoji(emoji, size) {
  const drawn = emoji.map((character) =>
    h(
      "span",
      { class: "_ahiu" },
      emojiImage(character, `_ahiw ${size} emoji ${TEXT_CLASS}`),
      emojiImage(character, `_ahi- _ahit ${size} ${TEXT_CLASS}`),
    ),
  );
  return h("div", { class: TEXT_CLASS, "data-testid": "selectable-text" }, drawn);
}

function selectable(blocks, dir) {
  const drawn = blocks.map((block) => h("span", { class: isBlank(block) ? "blank-line" : null }, drawBlock(block)));
  const attributes = { "data-testid": "selectable-text", dir, class: TEXT_CLASS, style: "min-height: 0px" };
  return h("span", attributes, drawn);
}

function isBlank(block) {
  return block.kind === "line" && block.inlines.length === 0;
}

function readMore(onClick) {
  const attributes = {
    role: "button",
    tabindex: "0",
    class: "read-more-button",
    "data-testid": "caption-read-more-button",
  };
  return h("div", { ...attributes, on: { click: onClick } }, "Read more");
}

function drawBlock(block) {
  const newline = block.newline ? ["\n"] : [];
  if (block.kind === "line") return [...block.inlines.flatMap(drawInline), ...newline];
  if (block.kind === "list") return [list(block)];
  const lines = block.lines.flatMap((line, position) => [
    ...line.flatMap(drawInline),
    ...(block.newline || position < block.lines.length - 1 ? ["\n"] : []),
  ]);
  const attributes = { dir: dirOf(block.lines[0]), class: TEXT_CLASS, "data-testid": "selectable-text" };
  return [h("blockquote", { ...attributes, "data-pre-plain-text": "> " }, h("div"), h("div", {}, lines))];
}

function list({ ordered, items, newline }) {
  const rows = items.flatMap((item, position) => {
    const text = { class: TEXT_CLASS, "data-testid": "selectable-text", "data-pre-plain-text": item.mark };
    const row = h("li", { dir: "auto", value: item.value }, h("span", text, item.inlines.flatMap(drawInline)));
    return newline || position < items.length - 1 ? [row, "\n"] : [row];
  });
  return h(ordered ? "ol" : "ul", { dir: dirOf(items[0].inlines) }, rows);
}

function drawInline(inline) {
  const common = { class: TEXT_CLASS, "data-testid": "selectable-text" };
  switch (inline.kind) {
    case "format":
      return [
        h(inline.tag, { ...common, "data-app-text-template": inline.template }, inline.children.flatMap(drawInline)),
      ];
    case "code":
      return [h("code", { ...common, "data-app-text-template": inline.template }, inline.text)];
    case "emoji":
      return [emojiImage(inline.text, `emoji ${TEXT_CLASS}`)];
    case "link": {
      const attributes = { href: inline.href, target: "_blank", rel: "noopener noreferrer", dir: "ltr" };
      return [
        h("a", { ...attributes, class: TEXT_CLASS, title: inline.href, "data-testid": "selectable-text" }, inline.text),
      ];
    }
    case "mention":
      return [mention(inline)];
    default:
      return [inline.text];
  }
}

function mention({ jid, name }) {
  const attributes = {
    dir: "auto",
    "data-jid": jid,
    "data-display": name,
    class: `${TEXT_CLASS} _aupf`,
    "data-testid": "select-all selectable-text",
    "data-plain-text": `@${name}`,
    "data-app-text-template": `${ZERO_WIDTH}${jid}${ZERO_WIDTH}`,
  };
  return h(
    "span",
    { role: "button", tabindex: "0" },
    h("span", attributes, "@", h("span", { dir: directionOf(name) }, name)),
  );
}

function dirOf(inlines) {
  return directionOf(inlines.map((inline) => inline.text ?? inline.name ?? "").join(""));
}
