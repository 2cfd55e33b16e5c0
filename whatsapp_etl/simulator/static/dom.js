// Making elements: `h("div", {class: "a", role: "row"}, child, "text")`, icons, and text with emoji as images.

import { era } from "./era.js";
import { shapeOf } from "./icon_shapes.js";

const EMOJI = new RegExp("\\p{RGI_Emoji}|(?![©®™])\\p{Extended_Pictographic}\\uFE0F?", "gv");
const BLANK_GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {object} [attributes] names as in HTML; `on` holds listeners by event; null and undefined are left out
 * @param {...(Node|string|null|undefined|Array)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name === "data-testid") {
      setTestId(element, value);
    } else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value === true && !/^(aria|data)-/.test(name)) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Give a test id, unless the build of this release drops it. */
export function setTestId(element, value) {
  if (era().keepsTestId(value)) element.dataset.testid = value;
}

/** An icon of the older kind: its name in data-icon, data-testid and the svg's title. */
export function icon(name, { title = null, label = null, className = null } = {}) {
  const shown = era().iconName(name);
  const element = h(
    "span",
    { "aria-hidden": label ? "false" : "true", "aria-label": label, class: className },
    svg(title ?? shown),
  );
  if (era().hasNamedIcon(name)) {
    element.dataset.icon = shown;
    element.dataset.testid = shown;
  }
  return element;
}

/** An icon of the newer kind: named by the svg's title only. */
export function plainIcon(title) {
  return era().namesPlainIcons ? icon(title) : h("span", { "aria-hidden": "true" }, svg(title));
}

/** The drawing of an icon; its shape is found by the title. */
export function svg(title) {
  const namespace = "http://www.w3.org/2000/svg";
  const element = document.createElementNS(namespace, "svg");
  element.setAttribute("viewBox", "0 0 24 24");
  element.setAttribute("height", "24");
  element.setAttribute("width", "24");
  if (title) {
    const name = document.createElementNS(namespace, "title");
    name.textContent = title;
    element.append(name);
  }
  const shape = document.createElementNS(namespace, "path");
  shape.setAttribute("d", shapeOf(title ?? ""));
  shape.setAttribute("fill", "currentColor");
  element.append(shape);
  return element;
}

/** Text with each emoji as `<img alt>`, the way the page shows it. */
export function withEmoji(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(EMOJI)) {
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(emojiImage(match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

/** One emoji as an image; its `alt` is the character. */
export function emojiImage(character, className = "emoji _ao3e") {
  const drawing = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'><text y='16' font-size='16'>${character}</text></svg>`;
  return h("img", {
    alt: character,
    draggable: "false",
    class: className,
    tabindex: "-1",
    src: BLANK_GIF,
    style: `background-image: url("data:image/svg+xml,${encodeURIComponent(drawing)}")`,
  });
}
