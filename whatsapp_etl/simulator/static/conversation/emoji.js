// One emoji as the page shows it: an image whose text stands in `alt` and `data-plain-text`.

import { h } from "../dom.js";

const BLANK_GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const drawings = new Map();

/** @param {string} className the image's classes; those of text make it part of what is copied */
export function emojiImage(character, className) {
  const isText = className.includes("copyable-text");
  return h("img", {
    alt: character,
    draggable: "false",
    "data-testid": isText ? "selectable-text" : null,
    class: className,
    "data-plain-text": isText ? character : null,
    tabindex: "-1",
    src: BLANK_GIF,
    style: drawingOf(character),
  });
}

// The real page shows a part of a sprite sheet; here the system's own font draws the character.
function drawingOf(character) {
  if (!drawings.has(character)) {
    const text = `<text y='16' font-size='16'>${character}</text>`;
    const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'>${text}</svg>`;
    drawings.set(character, `background-image: url("data:image/svg+xml,${encodeURIComponent(svg)}")`);
  }
  return drawings.get(character);
}
