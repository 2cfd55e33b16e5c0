// Making elements: `h("div", {class: "a", role: "row"}, child, "text")`, icons, and text with emoji as images.

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
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value === true && !/^(aria|data)-/.test(name)) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** An icon of the older kind: its name in data-icon, data-testid and the svg's title. */
export function icon(name, { title = name, label = null } = {}) {
  const attributes = { "aria-hidden": label ? "false" : "true", "aria-label": label, "data-icon": name, "data-testid": name };
  return h("span", attributes, svg(title));
}

/** An icon of the newer kind: named by the svg's title only. */
export function plainIcon(title) {
  return h("span", { "aria-hidden": "true" }, svg(title));
}

/** The drawing of an icon; its shape comes from the stylesheet, by the title's name. */
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

const DISC = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z";
const CHECK = "M9.5 16.2 5.3 12l-1.4 1.4 5.6 5.6 11-11L19.1 6.6z";
const SHAPES = [
  [/default-contact|person|Profile/, "M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zm0 2c-4 0-8 2-8 5v2h16v-2c0-3-4-5-8-5z"],
  [/group|community/, "M8 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zm8 0a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 13c-3 0-7 1.5-7 4v3h14v-3c0-2.5-4-4-7-4zm8 0c-.6 0-1.2.1-1.8.2 1.7 1 2.8 2.3 2.8 3.8v3h6v-3c0-2.5-4-4-7-4z"],
  [/dblcheck|read|delivered/, "M17 7l-1.4-1.4-6.3 6.3 1.4 1.4zM21.3 5.6 10.7 16.2 6.5 12l-1.4 1.4 5.6 5.6 12-12zM1 13.4 6.6 19 8 17.6 2.4 12z"],
  [/check/, CHECK],
  [/clock|time|ciphertext/, "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zm1-13h-2v6l5 3 1-1.6-4-2.4z"],
  [/chat|message/, "M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H8l-5 4V5a2 2 0 0 1 1-2z"],
  [/search/, "M10 3a7 7 0 1 0 4.2 12.6l5.1 5.1 1.4-1.4-5.1-5.1A7 7 0 0 0 10 3zm0 2a5 5 0 1 1 0 10 5 5 0 0 1 0-10z"],
  [/more|menu|filter/, "M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4z"],
  [/pin/, "M14 3v2l-1 6 3 3v2h-3.2L12 22l-.8-6H8v-2l3-3-1-6V3z"],
  [/notifications-off|muted/, "M3.3 2 2 3.3 6.7 8C6.2 9 6 10 6 11v5l-2 2v1h13.7l3 3 1.3-1.3zM12 22a2 2 0 0 0 2-2h-4c0 1.1.9 2 2 2zm6-8.3V11c0-3-1.6-5.6-4.5-6.3V4a1.5 1.5 0 0 0-3 0v.7z"],
  [/lock/, "M18 8h-1V6A5 5 0 0 0 7 6v2H6a2 2 0 0 0-2 2v10c0 1.1.9 2 2 2h12a2 2 0 0 0 2-2V10a2 2 0 0 0-2-2zM9 6a3 3 0 0 1 6 0v2H9z"],
  [/image|media|picture/, "M21 19V5a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v14c0 1.1.9 2 2 2h14a2 2 0 0 0 2-2zM8.5 13.5l2.5 3 3.5-4.5 4.5 6H5z"],
  [/video/, "M17 10.5V7a1 1 0 0 0-1-1H4a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-3.5l4 4v-11z"],
  [/document|description/, "M14 2H6a2 2 0 0 0-2 2v16c0 1.1.9 2 2 2h12a2 2 0 0 0 2-2V8zm-1 7V3.5L18.5 9z"],
  [/voice|mic|ptt|audio/, "M12 14a3 3 0 0 0 3-3V5a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zm5-3a5 5 0 0 1-10 0H5a7 7 0 0 0 6 6.9V21h2v-3.1A7 7 0 0 0 19 11z"],
  [/location|map/, "M12 2a7 7 0 0 0-7 7c0 5.2 7 13 7 13s7-7.8 7-13a7 7 0 0 0-7-7zm0 9.5a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5z"],
  [/phone|call/, "M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.2 11 11 0 0 0 3.6.6 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.2.2 2.4.6 3.6a1 1 0 0 1-.2 1z"],
  [/recalled/, "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM4 12a8 8 0 0 1 12.9-6.3L5.7 16.9A8 8 0 0 1 4 12zm8 8a8 8 0 0 1-4.9-1.7L18.3 7.1A8 8 0 0 1 12 20z"],
  [/poll/, "M4 4h4v16H4zm6 6h4v10h-4zm6-4h4v14h-4z"],
  [/archive/, "M20.5 5.2 19.2 3.5A1.4 1.4 0 0 0 18 3H6c-.5 0-.9.2-1.2.6L3.5 5.2A2 2 0 0 0 3 6.5V19c0 1.1.9 2 2 2h14a2 2 0 0 0 2-2V6.5a2 2 0 0 0-.5-1.3zM12 17.5 6.5 12H10v-2h4v2h3.5z"],
  [/back|arrow/, "M20 11H7.8l5.6-5.6L12 4l-8 8 8 8 1.4-1.4L7.8 13H20z"],
  [/close|x|cancel|clear/, "M19 6.4 17.6 5 12 10.6 6.4 5 5 6.4 10.6 12 5 17.6 6.4 19 12 13.4 17.6 19 19 17.6 13.4 12z"],
  [/refresh/, "M17.6 6.4A8 8 0 1 0 19.7 14h-2.1A6 6 0 1 1 12 6c1.7 0 3.1.7 4.2 1.8L13 11h7V4z"],
  [/settings/, "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm9 5v-2l-2.5-.5-.7-1.7 1.4-2.1-1.4-1.4-2.1 1.4-1.7-.7L13 3h-2l-.5 2.5-1.7.7-2.1-1.4-1.4 1.4 1.4 2.1-.7 1.7L3 11v2l2.5.5.7 1.7-1.4 2.1 1.4 1.4 2.1-1.4 1.7.7L11 21h2l.5-2.5 1.7-.7 2.1 1.4 1.4-1.4-1.4-2.1.7-1.7z"],
];

function shapeOf(title) {
  const name = title.replace("-refreshed", "");
  return SHAPES.find(([pattern]) => pattern.test(name))?.[1] ?? DISC;
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
