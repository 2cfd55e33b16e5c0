// From a row of the table `message` to the message that the client works with: its body's fields beside the plain ones.

import { parsedBody } from "./crypto.js";
import { MsgKey, Wid } from "./ids.js";

const FIRST_ROW = 1_000_000_000; // rows of the history count down from here// What is of use to the table only.
const OF_THE_TABLE = new Set([
  "internalId", "isStarred", "count", "hasLink", "isMediaMsg", "isDocMsg", "isCallLogMsg", "isCarouselMsg", "isEventMsg",
  "typeFlag", "pendingReadReceipt", "msgRowOpaqueData",
]);
const KEYS = ["id", "protocolMessageKey", "latestEditMsgKey", "parentMsgKey"];

/** Return the message of a row that was read decrypted; one that was not is refused. */
export function messageFromDbRow(row) {
  const message = {};
  for (const column in row) {
    if (OF_THE_TABLE.has(column)) continue;
    const value = row[column];
    message[column] = isWidLike(value) ? new Wid(value._serialized) : value;
  }
  message.star = row.isStarred !== undefined;
  message.isMdHistoryMsg = row.rowId < FIRST_ROW;
  if (row.msgRowOpaqueData) spread(message, opened(row.msgRowOpaqueData));
  if (typeof row.from === "string") message.from = new Wid(row.from);
  for (const column of KEYS) if (message[column] != null) message[column] = MsgKey.from(message[column]);
  message.viewMode ??= "VISIBLE";
  return message;
}

function opened(bytes) {
  if (!(bytes instanceof ArrayBuffer)) throw new TypeError("decodeProtobuf: expected an ArrayBuffer");
  return parsedBody(bytes);
}

function isWidLike(value) {
  return typeof value === "object" && typeof value?._serialized === "string" && typeof value.server === "string";
}

function spread(message, body) {
  Object.assign(message, fieldsOf(message, body));
  if (body.quoted && message.quotedMsg) message.quotedMsg = { ...message.quotedMsg, body: body.quoted.text };
  if (body.view_once) message.isViewOnce = true;
}

/** The fields of the encrypted part, by the client's names. */
function fieldsOf({ type, filename }, body) {
  switch (type) {
    case "image":
    case "video":
      return { body: preview(body.thumb), caption: body.caption ?? undefined, isGif: body.gif || undefined };
    case "document":
      return { caption: body.caption ?? filename, isCaptionByUser: body.caption != null, pageCount: body.pages };
    case "location":
      return { lat: body.lat, lng: body.lng, loc: placeOf(body), isLive: body.live, caption: body.caption ?? undefined };
    case "vcard":
      return { body: cardOf(body.name, body.phone), vcardFormattedName: body.name };
    case "multi_vcard":
      return { vcardList: body.names.map((name) => ({ displayName: name, vcard: cardOf(name) })) };
    case "poll_creation":
      return {
        pollName: body.question,
        pollOptions: body.options.map(({ name }, localId) => ({ name, localId })),
        pollSelectableOptionsCount: body.multi ? 0 : 1,
      };
    case "event_creation":
      return { eventName: body.name, eventDescription: body.description, eventLocation: body.place };
    case "groups_v4_invite":
      return { inviteGrpName: body.group_name, caption: body.caption ?? undefined, comment: body.caption ?? undefined };
    case "chat":
      return { body: body.body, ...linkOf(body.preview) };
    default:
      return typeof body.body === "string" ? { body: body.body } : {};
  }
}

// The body of a picture is the small one that is shown until it is downloaded, without the head of a data URL.
function preview(thumb) {
  return thumb ? thumb.slice(thumb.indexOf(",") + 1) : undefined;
}

function placeOf({ name, address }) {
  return [name, address].filter(Boolean).join("\n") || undefined;
}

function linkOf(link) {
  if (!link) return {};
  return { matchedText: link.url, canonicalUrl: link.url, title: link.title, description: link.description };
}

function cardOf(name, phone = null) {
  const lines = ["BEGIN:VCARD", "VERSION:3.0", `N:;${name};;;`, `FN:${name}`];
  if (phone) lines.push(`TEL;type=CELL:${phone}`);
  return [...lines, "END:VCARD"].join("\n");
}
