// What a search finds: chats and contacts by name, messages by their text, under a heading each.

import { h } from "./dom.js";
import { era } from "./era.js";
import { plain } from "./preview.js";

const HEADING_HEIGHT = 72;
const DEPTH = 5000; // How many of the newest messages are looked at.
const MOST_MESSAGES = 30;

/**
 * Return the rows of the result, headings among them.
 *
 * @param {string} query
 * @param {{ctx, rows, chats: object[], chatItem: (chat: object) => object, onOpen: (chatId: string) => void,
 *   revision: string}} options
 */
export async function searchItems(query, { ctx, rows, chats, chatItem, onOpen, revision }) {
  const wanted = query.toLocaleLowerCase();
  const hasWords = (text) => (text ?? "").toLocaleLowerCase().includes(wanted);
  const found = chats.filter(({ id }) => hasWords(ctx.store.title(id)));
  const withChat = new Set(chats.map(({ id }) => id));
  const contacts = ctx.store.contacts().filter(({ id, name }) => name && !withChat.has(id) && hasWords(name));
  const listed = (message) => withChat.has(ctx.store.chatIdOf(message));
  const isHit = (message) => listed(message) && hasWords(textOf(message));
  const messages = await ctx.store.newestMatching(isHit, { depth: DEPTH, limit: MOST_MESSAGES });
  return [
    ...section("Chats", found.map(chatItem)),
    ...section(
      "Contacts",
      contacts.map(({ id }) => contactItem(id)),
    ),
    ...section("Messages", messages.map(messageItem)),
  ];

  function contactItem(jid) {
    const fill = (element) => rows.fillContact(element, { jid, onOpen: () => onOpen(jid) });
    return { key: `contact ${jid}`, height: era().listRowHeight, revision, fill };
  }

  function messageItem(message) {
    const chat = ctx.store.chat(ctx.store.chatIdOf(message));
    const fill = (element) => rows.fillMessage(element, { chat, message, onOpen: () => onOpen(chat.id) });
    return { key: `message ${message.id}`, height: era().listRowHeight, revision, fill };
  }
}

function section(title, items) {
  if (items.length === 0) return [];
  const fill = (element) => element.replaceChildren(h("div", { class: "list-heading" }, title));
  return [{ key: `heading ${title}`, height: HEADING_HEIGHT, revision: title, fill }, ...items];
}

function textOf({ body }) {
  return body.body === undefined ? (body.caption ?? body.question ?? "") : plain(body.body, body.mentions);
}
