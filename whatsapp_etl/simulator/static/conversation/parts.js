// Parts that bubbles of several kinds have in common.

import { h, icon } from "../dom.js";
import { era } from "../era.js";
import { hasVariant } from "../variants.js";
import { TEXT_CLASS, largeEmoji, shortText, textBlock } from "./text.js";
import { onlyEmoji } from "./markup.js";

const ACK_LABELS = [" Pending ", " Sent ", " Delivered ", " Read "];
const MARKS = [
  { mark: "starred", name: "star", label: " Starred messages " },
  { mark: "kept", name: "keep", label: " Kept message " },
  { mark: "pinned", name: "pin", label: " Pinned message " },
];
const MANY_FORWARDS = 5;
const LEFT_OUT = 3; // of the plain rows this one lacks what is copied before it, by its second

/** The time once more, invisible: it keeps the place at the end of the text where the real one stands. */
export function spacer({ row, own }, tools, { status = true } = {}) {
  const edited = row.latestEditMsgKey ? [h("span", {}, "Edited")] : [];
  const place = own && status ? [h("span")] : [];
  const marks = marksOf(row).map(() => h("span"));
  return h("span", {}, h("span", { "aria-hidden": "true" }, marks, edited, place, h("span", {}, tools.format.time(row.t))));
}

/** Marks (starred, kept, pinned), time, "Edited" and delivery status. */
export function meta({ row, own }, tools, { status = true } = {}) {
  const ack = own && status ? ackIcon(row.ack) : null;
  const marks = marksOf(row).map(({ name, label }) => icon(name, { label }));
  const edited = row.latestEditMsgKey ? h("span", {}, "Edited") : null;
  const time = h("span", { dir: "auto" }, edited, h("span", {}, tools.format.time(row.t)));
  return h("div", { "data-testid": "msg-meta", class: "meta", role: ack ? "button" : null }, marks, time, ack);
}

function marksOf({ body }) {
  return MARKS.filter(({ mark }) => body.marks?.includes(mark));
}

function ackIcon(ack) {
  const state = Math.min(ACK_LABELS.length - 1, Math.max(0, ack ?? 0));
  const label = ACK_LABELS[state];
  return h("div", { class: label === " Read " ? "is-read" : null }, icon(era().statusIcons[state], { label }));
}

/** Wrap what is copied together with "[time, date] sender: " before it. */
export function copyable(entry, tools, ...children) {
  const isLeftOut = entry.row.type === "chat" && hasVariant(tools.config, "no_prefix") && entry.row.t % LEFT_OUT === 0;
  const pre = isLeftOut ? null : tools.format.prePlainText(entry.row.t, entry.sender.name);
  return h("div", { class: `copyable-text${placeClass(entry, tools)}`, "data-pre-plain-text": pre }, children);
}

// The older nesting says by a class what stands above the text.
function placeClass(entry, tools) {
  if (!era().isOldNesting) return "";
  if (entry.row.isForwarded) return " _ahy2";
  return hasAuthor(entry, tools) ? " _ahy1" : "";
}

// The releases of spring repeated it over a quoted message and a preview.
function hasAuthor({ row, first, own }, { isGroup }) {
  if (!isGroup || own) return false;
  return first || (era().isOldNesting && Boolean(row.body.quoted ?? row.body.preview));
}

/** A text or caption with its markup. */
export function textOf(entry, tools, raw) {
  return textBlock(raw, entry.row.body.mentions ?? {}, spacer(entry, tools));
}

export function isForwardedOften({ row }) {
  return Boolean(row.isForwarded) && (row.forwardingScore ?? 1) >= MANY_FORWARDS;
}

/** "Forwarded" over a bubble's content, or null. */
export function forwarded({ row }) {
  if (!row.isForwarded) return null;
  const words = isForwardedOften({ row }) ? "Forwarded many times" : "Forwarded";
  return h("div", { class: "forwarded" }, icon("forward-refreshed"), h("span", {}, words));
}

/** The author's line: in groups, on the first bubble of a run of somebody else. */
export function author(entry, tools) {
  if (!hasAuthor(entry, tools)) return null;
  const line = authorLine(entry.sender);
  return era().isOldNesting ? [line, h("div")] : line;
}

function authorLine(sender) {
  if (sender.isSaved || !sender.pushname) {
    return h(
      "div",
      { class: "_ahxj", role: "" },
      h("span", { dir: "auto", class: "_ahxt _ao3e", "data-testid": "author" }, sender.name),
    );
  }
  const { hasAuthorTestId, showsPushNamesAlone } = era();
  if (showsPushNamesAlone) return pushNameBesideNumber(sender);
  // A push name is only what the sender calls himself: the number stands beside it.
  return h(
    "div",
    { class: "_ahxj _ahxz", role: "" },
    maybe(sender.pushname, hasAuthorTestId ? "author" : null),
    sender.phone
      ? h("span", { class: "_ahx_", role: "button", testid: hasAuthorTestId ? "author" : null }, sender.phone)
      : null,
  );
}

// Older releases put the number first, and "~" before a name that its owner chose.
function pushNameBesideNumber({ name, pushname, phone }) {
  return h(
    "div",
    { class: "_ahxj", role: "" },
    h("span", { dir: "auto", class: "_ahxt _ao3e", "data-testid": "author" }, phone ?? name),
    phone ? h("span", { dir: "auto", class: "_ahx_ _ao3e" }, `~${pushname}`) : null,
  );
}

/** The invisible label of a run's first bubble, until spring of its last too; in groups the author's line speaks for others. */
export function runLabel({ first, last, own, sender }, tools) {
  if (!first && !(last && era().isOldNesting)) return null;
  if (own) return h("span", { "aria-label": tools.format.word("You:") });
  return tools.isGroup ? null : h("span", { "aria-label": `${sender.name}:` });
}

/** The message that is answered, over the answer. */
export function quoted({ row }, tools) {
  const { quoted: answered } = row.body;
  if (!answered) return null;
  const isMine = answered.author === tools.me.id || answered.author === tools.me.lid;
  const text = answered.text || placeholderOf(answered.type);
  const content = [
    h("div", { class: "_ahxj", role: "" }, isMine ? h("span", { dir: "auto", class: "_ao3e" }, "You") : quotedName(answered, tools)),
    h("div"),
    h(
      "div",
      { dir: "ltr", role: "button" },
      h("span", { "data-testid": "selectable-text", dir: "auto", class: `quoted-mention ${TEXT_CLASS}` }, shortText(text)),
    ),
  ];
  const { isOldNesting } = era();
  const place = isOldNesting && tools.isGroup ? " _aju9" : "";
  const box = h(
    "div",
    { class: "_aju3", role: "button", "aria-label": "Quoted message", tabindex: "0" },
    h("span", { class: "_aju7" }),
    h("div", { class: `_aju8${place}` }, isOldNesting ? h("div", { class: `_ajua${place}` }, content) : content),
  );
  return h("div", { "data-testid": "quoted-message", class: "_ahy0" }, isOldNesting ? h("div", {}, box) : box);
}

// In groups as over a message of his own, but nothing opens.
function quotedName({ author: jid }, tools) {
  const { isSaved, name, pushname, phone } = tools.person(jid);
  if (!tools.isGroup || isSaved || !pushname || era().showsPushNamesAlone)
    return h("span", { dir: "auto", class: "_ahxt _ao3e" }, name);
  return [maybe(pushname), phone && h("span", { class: "_ahx_" }, phone)];
}

function maybe(pushname, testid = null) {
  const attributes = { dir: "auto", "aria-label": `Maybe ${pushname}`, class: "_ahxy _ao3e", "data-testid": testid };
  return h("span", attributes, pushname);
}

const PLACEHOLDERS = {
  image: "Photo",
  video: "Video",
  gif: "GIF",
  sticker: "Sticker",
  ptt: "Voice message",
  audio: "Audio",
  ptv: "Video note",
  document: "Document",
  location: "Location",
  vcard: "Contact",
  multi_vcard: "Contacts",
  poll_creation: "Poll",
};

function placeholderOf(type) {
  return PLACEHOLDERS[type] ?? "Couldn't find message";
}

/** What stands beside a bubble: "Forward media" where there is something to pass on, or the search for what is doubtful. */
export function besideButton({ forwardable = false, doubtful = false }) {
  if (forwardable) return besideBubble({ "aria-label": "Forward media" }, "forward-refreshed");
  // The label is the page's own, though it leads to a search of the web.
  return doubtful ? besideBubble({ title: "Feedback", "aria-label": "Message Feedback" }, "search") : null;
}

function besideBubble(words, symbol) {
  return h("div", {}, h("div", { role: "button", tabindex: "0", ...words }, icon(symbol)));
}

/** A caption under a picture, a video or a document, or null. */
export function caption(entry, tools, testid) {
  const raw = entry.row.body.caption;
  return raw ? h("div", { "data-testid": testid }, textOf(entry, tools, raw)) : null;
}

/** A single emoji: large, without a bubble, and never with "[time, date] sender: ". */
export function singleEmoji(raw) {
  const emoji = onlyEmoji(raw);
  return emoji?.length === 1 ? largeEmoji(emoji, "_ar4y") : null;
}

/** The spinner over a file that is being fetched. */
export function fetching() {
  const { isOldNesting } = era();
  const role = isOldNesting ? null : "progressbar";
  const parts = [
    h("div", {}, h("span", { "data-visualcompletion": "loading-state", role }, spinner())),
    h("div", {}, icon("media-cancel")),
  ];
  return isOldNesting ? h("div", {}, h("div", { class: "media-state" }, parts)) : h("div", { class: "media-state" }, parts);
}

export function spinner() {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 44 44");
  svg.setAttribute("class", "spinner");
  const circle = document.createElementNS(namespace, "circle");
  for (const [name, value] of Object.entries({ cx: 22, cy: 22, r: 18, fill: "none", "stroke-width": 4 })) {
    circle.setAttribute(name, value);
  }
  svg.append(circle);
  return svg;
}

/** A default picture of a person, as in cards and beside voice notes. */
export function avatar(height, className = "") {
  return h("div", { style: `height: ${height}px`, class: `avatar ${className}`.trim() }, h("div", {}, icon("default-contact-refreshed")));
}

/** A line of text with an icon before it: deleted, waiting, not available. */
export function placeholder(entry, tools, { symbol, text, link = null }) {
  const more = link ? [" ", h("span", { role: "button" }, link)] : [];
  return h(
    "div",
    {},
    h(
      "div",
      { class: "placeholder" },
      h("div", {}, symbol),
      h("div", {}, h("div", { class: "_akbu _akbw" }, text, more, spacer(entry, tools, { status: false }))),
    ),
    h("div", {}, meta(entry, tools, { status: false })),
  );
}
