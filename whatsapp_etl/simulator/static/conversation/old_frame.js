// What stands around a message in the releases from 2024 to spring 2026: readable classes say side, kind and place.

import { h, icon } from "../dom.js";
import { isOwn } from "./keys.js";
import { besideButton, runLabel } from "./parts.js";
import { reactionBubble } from "./reactions.js";
import { isEncryptionNotice } from "./rows/index.js";

// Of the bubble, by the kind of the message; most kinds look like a text.
const TEXT = "_amkd";
const KIND_CLASSES = {
  image: "_amkt",
  video: "_amkv",
  gif: "_amku",
  ptv: "_amkd _am--",
  sticker: "_amk9",
  sticker_pair: "_amk9",
  document: "_amkm",
  audio: "_amkl",
  ptt: "_amkq",
  location: "_amkw",
  live_location: "_amkx",
  vcard: "_amks",
  multi_vcard: "_amkp",
  poll_creation: "_amkd _amlu",
  event_creation: "",
  call_log: "",
  album: "",
  ciphertext: "_amkd _amkj",
  unknown: "_amkd _amkj",
};
// Notices that something opens when they are clicked.
const OPENING = new Set(["e2e_notification"]);

// The releases of spring wrote it beside the style.
const ALIGNED = { "data-computed-align": "normal" };

export const oldFrame = {
  /** Give or take the label alone: what was opened in the bubble stays open. */
  relabel(node, entry, tools) {
    const bubble = node.querySelector("._amk6, .bare");
    const label = runLabel(entry, tools);
    const [old] = bubble.children;
    const isLabelled = old.matches("span[aria-label]");
    if (isLabelled && !label) old.remove();
    else if (label && !isLabelled) bubble.prepend(label);
  },

  /** A line of the system: in the middle, without sender, tail or time. */
  notice(entry, content, { isGroup }) {
    const bubble = h("div", { class: "_amk6 notice" }, content, h("span"), h("div"));
    const opening = OPENING.has(entry.row.type) ? " _amkg" : "";
    const container = h(
      "div",
      { class: `_amk4${opening} _amkb`, "data-testid": "msg-notification-container" },
      bubble,
      h("div", { class: "_amj_" }),
    );
    const role = isEncryptionNotice(entry) ? "button" : null;
    const place = isGroup ? "" : " _amjz";
    return h("div", { class: `_amk1 focusable-list-item${place} _amj- _as4s _amjw`, role, ...ALIGNED }, h("span"), container);
  },

  /** A message; `drawn` is what its kind draws. */
  bubble(entry, drawn, tools) {
    const { content, bare = false, tailless = false, inert = false } = drawn;
    const hasTail = entry.first && !tailless;
    const tail = hasTail ? icon(entry.own ? "tail-out" : "tail-in", { className: "_amk7" }) : null;
    const label = runLabel(entry, tools);
    const isAlbum = Boolean(entry.children);
    const frameClass = isAlbum ? "_amk6 _amlo _amlc bubble" : "_amk6 _amlo bubble";
    const bubble = h("div", { class: bare ? "bare" : frameClass }, label, content, h("span"), h("div"));
    const beside = besideButton(drawn);
    const quick = h("div", { class: "_amj_ quick" }, beside, inert ? null : h("div", {}, h("div")));
    const kind = bare && entry.row.type === "chat" ? `_amk9${tools.isGroup ? "" : " _amka"}` : kindClasses(entry.row);
    const container = h(
      "div",
      { class: ["_amk4", kind, hasTail ? "_amk5" : "", "container"].filter(Boolean).join(" "), role: isAlbum ? "group" : null, "data-testid": "msg-container" },
      tail,
      bubble,
      quick,
    );
    const side = entry.own ? "message-out" : "message-in";
    const place = tools.isGroup ? "" : " _amjz";
    const item = `${beside ? "_amkz " : ""}${side} focusable-list-item _amjy${place} _amjw`;
    const below = reactionBubble(entry.reactions) ?? (bare || inert ? null : h("div"));
    return h("div", { class: item, ...ALIGNED }, h("span"), container, below);
  },
};

function kindClasses({ type, body, isViewOnce, id }) {
  if (isViewOnce || body.view_once) return isOwn({ id }) ? TEXT : "_amkd _amkj";
  if (type === "location" && body.live) return KIND_CLASSES.live_location;
  if (type === "video" && body.gif) return KIND_CLASSES.gif;
  return KIND_CLASSES[type] ?? TEXT;
}
