// What a message row's key and columns say about it.

import { era } from "../era.js";

const NOTICES = new Set([
  "gp2",
  "e2e_notification",
  "notification",
  "notification_template",
  "broadcast_notification",
  "pinned_message",
  "newsletter_notification",
  "debug",
  "context_card",
]);
const NEVER_DRAWN = new Set(["protocol", "reaction", "album"]);

/** The bare message id: the third part of the packed key, all that the page shows of it. */
export function stanzaOf(key) {
  return key.split("_")[2] ?? key;
}

/** The id that a row shows: the whole key in the releases up to April 2026, only its stanza since. */
export function shownId(key) {
  return era().hasPackedIds ? key : stanzaOf(key);
}

export function isOwn(row) {
  return row.id.startsWith("true_");
}

export function isNotice(row) {
  return NOTICES.has(row.type);
}

export function isDrawn(row) {
  return !NEVER_DRAWN.has(row.type);
}

/** Who wrote it, as an id. */
export function senderOf(row) {
  const author = row.author ?? row.from;
  return typeof author === "string" ? author : author._serialized;
}

/** The checksum of the file as the server's address of it has it: lowercase hex. */
export function fileAddress(row) {
  const bytes = Uint8Array.from(atob(row.filehash), (character) => character.charCodeAt(0));
  return `/media/${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
