// One row of the chat list: picture, name, time, preview, and the marks at its end.

import { isArchived } from "./archived.js";
import { senderOf } from "./conversation/keys.js";
import { h, icon, plainIcon, withEmoji } from "./dom.js";
import { era } from "./era.js";
import { preview } from "./preview.js";

const MANY_UNREAD = 999;

/** @param {{store, format, fiber, clock}} ctx */
export function createRowMaker(ctx) {
  const isGroup = (chatId) => chatId.endsWith("@g.us");
  const maker = { fillChat, fillMessage, fillContact, isTyping: false };

  /** Fill `element` with a chat. */
  function fillChat(element, { chat, message, isSelected, isArchivedRow, onOpen }) {
    const title = ctx.store.title(chat.id);
    element.replaceChildren(
      cell({
        picture: avatar(ctx, chat.id),
        isUnread: chat.unreadCount !== 0,
        isSelected,
        onOpen,
        title: titleNodes(title, {
          chat,
          isOwn: ctx.store.isOwnChat(chat.id),
          isGroup: isGroup(chat.id),
          format: ctx.format,
        }),
        time: chat.t ? ctx.format.listTime(chat.t) : "",
        second: secondLine(message, chat),
        marks: marks(chat, isArchivedRow),
      }),
    );
    ctx.fiber.attachChat(element, chat, title);
  }

  /** Fill `element` with a message that a search found. */
  function fillMessage(element, { chat, message, onOpen }) {
    const title = ctx.store.title(chat.id);
    element.replaceChildren(
      cell({
        picture: null,
        isUnread: false,
        isSelected: false,
        onOpen,
        title: titleNodes(title, { chat: { unreadCount: 0 }, isOwn: false, isGroup: true, format: ctx.format }),
        time: ctx.format.listTime(message.t),
        second: secondLine(message, chat),
        marks: [h("span"), h("span"), h("span")],
      }),
    );
  }

  /** Fill `element` with a contact that has no chat. */
  function fillContact(element, { jid, onOpen }) {
    element.replaceChildren(
      cell({
        picture: avatar(ctx, jid),
        isUnread: false,
        isSelected: false,
        onOpen,
        title: titleNodes(ctx.store.displayName(jid), {
          chat: { unreadCount: 0 },
          isOwn: false,
          isGroup: false,
          format: ctx.format,
        }),
        time: "",
        second: h("span", { title: "" }),
        marks: [h("span"), h("span"), h("span")],
      }),
    );
  }

  const secondLine = (message, chat) => {
    if (maker.isTyping && !isArchived(chat)) {
      const who = isGroup(chat.id) && message ? `${ctx.store.displayName(senderOf(message))} is ` : "";
      return h("span", { "data-testid": "last-msg-status", title: "" }, h("span", {}, `${who}typing…`));
    }
    const senderName = (jid) => ctx.store.displayName(jid);
    const { title, nodes } = preview(message, { isGroup: isGroup(chat.id), senderName, format: ctx.format });
    return h("span", { "data-testid": "last-msg-status", title }, nodes);
  };

  const marks = (chat, isArchivedRow) => {
    const isMuted = chat.muteExpiration === -1 || chat.muteExpiration * 1000 > ctx.clock.now().getTime();
    const shown = [];
    if (isMuted)
      shown.push(h("div", { class: "_ahlk", "aria-label": "Muted chat" }, plainIcon("ic-notifications-off")));
    if (chat.pin && !isArchivedRow)
      shown.push(h("div", { class: "_ahlk", "aria-label": "Pinned chat" }, plainIcon("ic-push-pin")));
    if (chat.unreadCount !== 0) {
      const words = unreadWords(chat.unreadCount, ctx.format);
      const number = chat.unreadCount > MANY_UNREAD ? "999+" : Math.max(0, chat.unreadCount) || "";
      const badge = h("span", { "aria-label": words, "data-testid": "icon-unread-count" }, h("span", {}, number));
      shown.push(h("div", { class: "_ahlk unread-badge", "aria-hidden": "true" }, badge));
    }
    return [h("span", {}, shown), h("span"), h("span")];
  };

  return maker;
}

/** "3 unread messages"; "Unread" for a chat that was marked by hand. */
function unreadWords(count, format) {
  if (count < 0) return "Unread";
  return `${format.count(count)} unread message${count === 1 ? "" : "s"}`;
}

function titleNodes(title, { chat, isOwn, isGroup, format }) {
  const name = h("span", { dir: "auto", title, class: "_ao3e", style: "min-height: 0px" }, withEmoji(title));
  const own = isOwn ? h("span", { dir: "auto", class: "_ao3e own-chat", style: "min-height: 0px" }, "(You)") : null;
  const unread =
    chat.unreadCount !== 0 ? h("span", { class: "visually-hidden" }, unreadWords(chat.unreadCount, format)) : null;
  return [unread, isGroup ? name : h("div", {}, h("div", {}, name, own))];
}

function cell({ picture, title, time, second, marks, isUnread, isSelected, onOpen }) {
  const frame = h(
    "div",
    { class: `_ak72 _ak73${isUnread ? " _ak7n" : ""} _asiw _ap1- _ap1_`, "data-testid": "cell-frame-container" },
    picture && h("div", { class: "_ak8n" }, h("div", { class: "_ak8h" }, picture)),
    h(
      "div",
      { class: "_ak8l _ap1_" },
      h(
        "div",
        { role: "gridcell", "aria-colindex": 2, class: "_ak8o" },
        h("div", { class: "_ak8q", "data-testid": "cell-frame-title" }, title),
        h("div", { class: "_ak8i", "data-testid": "cell-frame-primary-detail" }, h("span", {}, time)),
      ),
      h(
        "div",
        { class: "_ak8j", "data-testid": "cell-frame-secondary" },
        h("div", { class: "_ak8k" }, second),
        h("div", { role: "gridcell", "aria-colindex": 1, class: "_ak8i" }, marks),
      ),
    ),
  );
  // The real page opens a chat when the button goes down: `element.click()` does nothing there either.
  const open = (event) => {
    if (event.button === 0) onOpen();
  };
  return h(
    "div",
    era().hasListCells ? { role: "gridcell", tabindex: 0 } : {},
    h("div", { tabindex: -1, "aria-selected": isSelected, class: "list-row", on: { mousedown: open } }, frame),
  );
}

/** The picture of a chat or a person: a drawing in its own colour, or the default icon. */
export function avatar(ctx, jid, size = 49) {
  const kinds = { "g.us": "group", broadcast: "broadcast" };
  const kind = `default-${kinds[jid.split("@")[1]] ?? "contact"}-refreshed`;
  const image = ctx.store.picture(jid) ? drawnPicture(ctx.store.title(jid)) : icon(kind);
  return h("div", {}, h("div", { class: "avatar", style: `height: ${size}px; width: ${size}px` }, h("div", {}, image)));
}

// The real page takes pictures from its own servers; here they are drawn from the name.
function drawnPicture(name) {
  let hue = 0;
  for (const character of name) hue = (hue * 31 + character.codePointAt(0)) % 360;
  const letter = [...name.replace(/[^\p{L}\p{N}]/gu, "")][0] ?? "·";
  const drawing =
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 49 49'><rect width='49' height='49' fill='hsl(${hue},45%,55%)'/>` +
    `<text x='24.5' y='32' font-size='22' font-family='sans-serif' text-anchor='middle' fill='white'>${letter}</text></svg>`;
  return h("img", {
    alt: "",
    draggable: "false",
    class: "_ao3e",
    src: `data:image/svg+xml,${encodeURIComponent(drawing)}`,
  });
}
