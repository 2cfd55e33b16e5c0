// The second line of a chat in the list: who wrote last, and what.

import { h, icon, plainIcon, withEmoji } from "./dom.js";

// Kinds that are shown by an icon and a word; a caption takes the word's place.
const KINDS = {
  image: ["Photo", () => plainIcon("ic-image")],
  video: ["Video", () => plainIcon("ic-videocam")],
  ptv: ["Video message", () => plainIcon("ic-videocam")],
  document: ["Document", () => icon("document-refreshed-thin")],
  audio: ["Audio", () => plainIcon("ic-headphones")],
  ptt: ["Voice message", () => plainIcon("ic-keyboard-voice-filled")],
  sticker: ["Sticker", () => plainIcon("wds-ic-sticker")],
  location: ["Location", () => icon("location-refreshed-outline")],
  vcard: ["Contact", () => icon("person-refreshed-outline-thin")],
  multi_vcard: ["Contacts", () => icon("person-refreshed-outline-thin")],
  poll_creation: ["Poll", () => icon("poll-refreshed-thin")],
  event_creation: ["Event", () => icon("calendar-refreshed-thin")],
  groups_v4_invite: ["Group invite", () => icon("group-refreshed-outline-thin")],
  revoked: ["This message was deleted", () => icon("recalled")],
  ciphertext: ["Waiting for this message. This may take a while.", () => icon("status-ciphertext")],
  call_log: ["Voice call", () => h("div", {}, plainIcon("ic-phone-callback-filled"))],
  unknown: ["This message couldn't load. Open the message on your phone to view it.", () => icon("unknown")],
  payment: ["This message couldn't load. Open the message on your phone to view it.", () => icon("unknown")],
  album: ["Album", () => plainIcon("ic-image")],
};
const NOTICES = new Set([
  "gp2",
  "e2e_notification",
  "notification",
  "notification_template",
  "broadcast_notification",
  "pinned_message",
]);
const BUSINESS = new Set([
  "product",
  "order",
  "interactive",
  "interactive_response",
  "list",
  "list_response",
  "buttons_response",
  "template_button_reply",
]);
const STATUS_ICONS = ["ic-chatlist-clock", "status-check", "status-dblcheck", "status-dblcheck", "status-dblcheck"];

/**
 * Make the content of the second line.
 *
 * @param {object|undefined} message the chat's newest message, decrypted
 * @param {{isGroup: boolean, senderName: (jid: string) => string, format: object}} options
 * @returns {{title: string, nodes: Node[]}}
 */
export function preview(message, { isGroup, senderName, format }) {
  if (!message) return { title: format.embed(""), nodes: [] };
  const isOwn = message.id.startsWith("true_");
  const isNotice = NOTICES.has(message.type);
  const { words, caption, image } = content(message, isOwn);
  const nodes = [];
  if (isOwn && !isNotice && !["revoked", "call_log"].includes(message.type)) nodes.push(statusIcon(message.ack));
  if (isGroup && !isNotice) nodes.push(...author(message, isOwn, senderName));
  if (image) nodes.push(h("div", { class: "preview-icon" }, image));
  const direction = format.direction(caption ?? words);
  nodes.push(h("span", { dir: direction, class: "_ao3e", style: "min-height: 0px" }, withEmoji(caption ?? words)));
  return { title: format.embed(caption ?? ""), nodes };
}

function content(message, isOwn) {
  const { type, body } = message;
  if (BUSINESS.has(type)) return { words: "", caption: plain(body.body ?? "", {}), image: null };
  if (type === "chat") return { words: "", caption: plain(body.body ?? "", body.mentions), image: null };
  if (NOTICES.has(type)) return { words: "", caption: body.text ?? "", image: null };
  if (type === "revoked") return { words: revokedWords(body, isOwn), caption: null, image: icon("recalled") };
  if (type === "call_log") return { words: callWords(body), caption: null, image: KINDS.call_log[1]() };
  if (type === "video" && body.gif) return { words: "GIF", caption: body.caption, image: plainIcon("ic-gif") };
  if (body.view_once) return { words: "Photo", caption: null, image: icon("view-once-sunset") };
  const [word, image] = KINDS[type] ?? ["", () => null];
  return { words: word, caption: captionOf(message) ?? null, image: image() };
}

function captionOf({ type, body, filename, duration }) {
  if (type === "document") return body.caption ?? filename;
  if (type === "vcard") return body.name;
  if (type === "multi_vcard") return `${body.names[0]} and ${body.names.length - 1} other contacts`;
  if (type === "poll_creation") return body.question;
  if (type === "event_creation") return body.name;
  if (type === "groups_v4_invite") return body.caption ?? body.group_name;
  if (type === "location" && body.live) return "Live location";
  if (type === "ptt" && duration) return null;
  return body.caption ? plain(body.caption, body.mentions) : null;
}

function revokedWords({ by, admin_name: admin }, isOwn) {
  if (by === "admin")
    return isOwn ? "You deleted this message as admin" : `This message was deleted by admin ${admin ?? ""}`.trim();
  return isOwn ? "You deleted this message" : "This message was deleted";
}

function callWords({ video, outcome }) {
  const kind = video ? "video call" : "voice call";
  if (outcome === "missed") return `Missed ${kind}`;
  return kind.charAt(0).toUpperCase() + kind.slice(1);
}

function statusIcon(ack) {
  const image = icon(STATUS_ICONS[Math.max(0, ack ?? 0)] ?? "status-dblcheck");
  if ((ack ?? 0) >= 3) image.classList.add("is-read");
  return h("div", { class: "preview-icon" }, image);
}

function author(message, isOwn, senderName) {
  const jid = typeof message.author === "string" ? message.author : message.author?._serialized;
  if (!isOwn && !jid) return [];
  const name = isOwn ? "You" : senderName(jid);
  return [
    h(
      "div",
      { class: "preview-author" },
      h("div", {}, h("span", { dir: "auto", class: "_ao3e", style: "min-height: 0px" }, withEmoji(name))),
    ),
    h("span", {}, ": "),
  ];
}

/** Text without markup, on one line, with names for mentions. */
export function plain(text, mentions = {}) {
  let words = text;
  for (const [jid, name] of Object.entries(mentions ?? {}))
    words = words.replaceAll(`@${jid.split("@")[0]}`, `@${name}`);
  return words
    .replace(/```([^`]+)```/g, "$1")
    .replace(/(^|[\s(])([*_~`])(?=\S)(.+?)(?<=\S)\2(?=$|[\s.,;:!?)])/g, "$1$3")
    .replace(/^(> |[-*] )/gm, "")
    .replace(/\s*\n\s*/g, " ");
}
