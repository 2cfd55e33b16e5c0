// The kinds of messages by their type.
//
// Each function takes an entry and the tools and returns `{content, bare, tailless, forwardable, doubtful, stop}`: what
// stands in the bubble, whether it is drawn without one, without a tail, with "Forward media" or a search beside it, and
// what to call when the row is emptied.

import { business } from "./business.js";
import { album } from "./album.js";
import * as card from "./card.js";
import { event } from "./event.js";
import * as file from "./file.js";
import * as notice from "./notice.js";
import * as picture from "./picture.js";
import { text } from "./text.js";

const KINDS = {
  chat: text,
  image: picture.image,
  album,
  video: picture.video,
  gif: picture.video,
  ptv: picture.videoNote,
  sticker: file.sticker,
  sticker_pair: file.stickerPair,
  document: file.document,
  audio: file.audio,
  ptt: file.voice,
  location: card.location,
  vcard: card.contactCard,
  multi_vcard: card.contactCards,
  poll_creation: card.poll,
  groups_v4_invite: card.groupInvite,
  call_log: card.call,
  revoked: notice.deleted,
  ciphertext: waiting,
  event_creation: event,
  product: business,
  order: business,
  interactive: business,
  interactive_response: business,
  list: business,
  list_response: business,
  buttons_response: business,
  template_button_reply: business,
};

// One whose content only the phone was given waits for ever, and says what it is.
function waiting(entry, tools) {
  const isViewOnce = entry.row.subtype === "view_once_unavailable_fanout";
  return isViewOnce ? picture.viewOnceElsewhere(entry, tools) : notice.waiting(entry, tools);
}

export function drawKind(entry, tools) {
  return (KINDS[entry.row.type] ?? notice.unknown)(entry, tools);
}

export { isEncryptionNotice, notice as drawNotice } from "./notice.js";
