// Notices of the system, and messages that have nothing to show: deleted, waiting, unknown.

import { h, icon, plainIcon } from "../../dom.js";
import * as parts from "../parts.js";
import { emojiImage } from "../emoji.js";

const EMOJI = new RegExp("\\p{RGI_Emoji}", "v");

/** The body of a notice: one line, no sender, no time. */
export function notice({ row }) {
  return row.body.title ? card(row.body) : line(row);
}

function line(row) {
  const words = h("span", { dir: "ltr", class: "_ao3e", style: "min-height: 0px" }, withEmoji(row.body.text ?? ""));
  const testid = row.type === "gp2" && row.subtype ? `${row.subtype}_system_message` : "system_message";
  return h("div", { role: "button", "data-testid": testid }, h("span", {}, symbolOf(row), words));
}

// Who a stranger or a group is, and what can be done about it.
function card({ title, text, buttons }) {
  const name = h("span", { dir: "auto", class: "_ao3e" }, withEmoji(title));
  const words = h("span", { dir: "auto", class: "_ao3e" }, text);
  const actions = buttons.map((label) => h("button", { type: "button" }, label));
  return h("div", { "data-testid": "system_message" }, h("div", {}, name), h("div", {}, words), h("div", {}, actions));
}

/** Only the note on encryption can be clicked as a whole row. */
export function isEncryptionNotice({ row }) {
  return row.type === "e2e_notification" && row.subtype === "encrypt";
}

function symbolOf(row) {
  if (isEncryptionNotice({ row })) return h("div", {}, icon("lock-small"));
  if (row.subtype === "disappearing_mode") return h("div", {}, plainIcon("wds-ic-disappearing-messages"));
  return null;
}

function withEmoji(words) {
  const nodes = [];
  for (const { segment } of new Intl.Segmenter().segment(words)) {
    if (EMOJI.test(segment)) nodes.push(emojiImage(segment, "emoji _ao3e"));
    else if (typeof nodes.at(-1) === "string") nodes[nodes.length - 1] += segment;
    else nodes.push(segment);
  }
  return nodes;
}

export function deleted(entry, tools) {
  const content = parts.placeholder(entry, tools, { symbol: icon("recalled"), text: deletionOf(entry, tools) });
  return { content: [parts.author(entry, tools), content], inert: true };
}

function deletionOf({ own, row }, tools) {
  const { by, admin_name: admin } = row.body;
  if (by !== "admin") return own ? "You deleted this message" : "This message was deleted";
  if (admin === "You" || admin === tools.me.push_name) return "You deleted this message as admin";
  return admin ? `This message was deleted by admin ${admin}` : "This message was deleted by an admin";
}

export function waiting(entry, tools) {
  const text = "Waiting for this message. This may take a while.";
  const content = parts.placeholder(entry, tools, { symbol: icon("ciphertext"), text, link: "Learn more" });
  return { content: [parts.author(entry, tools), content], inert: true };
}

export function unknown(entry, tools) {
  const text = "This message couldn't load. Open the message on your phone to view it.";
  const content = parts.placeholder(entry, tools, { symbol: icon("unknown"), text, link: "Click here to update." });
  return { content: [parts.author(entry, tools), content], inert: true };
}
