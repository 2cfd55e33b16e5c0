// What React leaves on the nodes it renders: own keys `__reactFiber$…` and `__reactProps$…` whose chain of
// `.return` leads to the component that holds the message or the chat. Undocumented there, switchable here.

import { MsgKey, Wid, widOf } from "./ids.js";

const HOPS_FROM_MESSAGE = 7; // from the node with data-id to the component with `memoizedProps.msg`
const HOPS_FROM_FOCUSABLE = 12; // from the .focusable-list-item inside it
const HOPS_FROM_ROW = 1; // from a chat's role=row to the component with `memoizedProps.data`

/** @param {() => object} config the configuration in force: `fiber` switches the chain */
export function createFiber(config) {
  const suffix = Math.random().toString(36).slice(2, 13);
  const fiberKey = `__reactFiber$${suffix}`;
  const propsKey = `__reactProps$${suffix}`;

  /** Hang a chain on `node` whose component `hops` up has these props. */
  const attach = (node, hops, memoizedProps) => {
    if (!config().fiber) return;
    let fiber = { memoizedProps, return: null, stateNode: null };
    for (let hop = hops - 1; hop >= 0; hop -= 1) {
      fiber = { memoizedProps: {}, return: fiber, stateNode: hop === 0 ? node : null };
    }
    node[fiberKey] = fiber;
    node[propsKey] = {};
  };

  return {
    attach,
    /** @param {object} row a message row of the store, decrypted */
    attachMessage(node, focusable, row) {
      const msg = messageModel(row);
      attach(node, HOPS_FROM_MESSAGE, { msg });
      if (focusable) attach(focusable, HOPS_FROM_FOCUSABLE, { msg });
    },
    /** @param {object} chat a row of the store `chat` */
    attachChat(node, chat, formattedTitle) {
      attach(node, HOPS_FROM_ROW, { data: { data: chatModel(chat, formattedTitle) } });
    },
  };
}

/** A message as the client itself holds it. @param {object} row a message row of the store, decrypted */
export function messageModel(row) {
  const body = row.body ?? {};
  return {
    id: new MsgKey(row.id),
    t: row.t,
    type: row.type,
    subtype: row.subtype,
    body: typeof body.body === "string" ? body.body : undefined,
    caption: body.caption ?? (row.type === "document" ? row.filename : undefined),
    filename: row.filename,
    from: widOf(row.from),
    to: widOf(row.to),
    author: widOf(row.author),
    ack: row.ack,
    isForwarded: Boolean(row.isForwarded),
    star: Boolean(row.isStarred),
    quotedStanzaID: row.quotedStanzaID,
    mediaKey: row.mediaKey,
    directPath: row.directPath,
    filehash: row.filehash,
    mimetype: row.mimetype,
    size: row.size,
    duration: row.duration,
  };
}

function chatModel(chat, formattedTitle) {
  return { id: new Wid(chat.id), t: chat.t, unreadCount: chat.unreadCount, archive: Boolean(chat.archive), formattedTitle };
}
