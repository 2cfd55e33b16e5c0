// Rows at the beginning of a chat that are no messages: the note on encryption, and who a stranger or a group is.
//
// No store holds them, and they have ids of digits only. Seen where ids are bare; what they say is invented.

import { era } from "../era.js";
import { hasVariant } from "../variants.js";
import { isEncryptionNotice } from "./rows/index.js";

const ENCRYPTION = "Messages and calls are end-to-end encrypted. Click to learn more";
const DIGITS = 18;
const STEP = 7919n;

/** Entries to be shown above a chat's oldest row. */
export function cardsOf({ store, config }, chatId, oldest) {
  if (!oldest || era().hasPackedIds || !hasVariant(config, "context_cards")) return [];
  const isNoted = isEncryptionNotice(oldest);
  const bodies = [isNoted ? null : { text: ENCRYPTION }, aboutChat(store, chatId)].filter(Boolean);
  return bodies.map((body, position) => ({
    row: {
      id: `false_${chatId}_${numberOf(chatId, position)}`,
      internalId: `${chatId}_`, // before every message's place
      type: "context_card",
      t: oldest.row.t,
      body,
    },
    sender: null,
    reactions: [],
  }));
}

function aboutChat(store, chatId) {
  if (store.group(chatId)) return { title: store.title(chatId), text: "Group", buttons: ["Group info"] };
  if (store.isOwnChat(chatId) || store.contact(chatId)?.name) return null;
  return { title: store.title(chatId), text: "Not a contact", buttons: ["Block", "Add"] };
}

function numberOf(chatId, position) {
  const digits = BigInt(chatId.replace(/\D/g, ""));
  return `1${digits * STEP + BigInt(position)}`.padEnd(DIGITS, "7").slice(0, DIGITS - 1) + position;
}
