// What the client holds in memory as its scripts see it: collections of models whose attributes are getters.

import { messageModel } from "./fiber.js";
import { Wid } from "./ids.js";

const NOT_IN_THE_LIST = /@(broadcast|newsletter)$/;
const BATCH = 50; // messages that one request for older ones brings

/** One thing in memory: a getter for each attribute, none of them its own property. */
function modelClass(attributes) {
  class Model {
    constructor(values) {
      for (const name of attributes) this[`__x_${name}`] = values[name];
    }

    /** All attributes as a plain object. */
    serialize() {
      return Object.fromEntries(attributes.map((name) => [name, this[`__x_${name}`]]));
    }

    toJSON() {
      return this.serialize();
    }
  }
  for (const name of attributes) {
    Object.defineProperty(Model.prototype, name, {
      get() {
        return this[`__x_${name}`];
      },
      configurable: true,
    });
  }
  return Model;
}

const MsgModel = modelClass([
  "id", "t", "type", "subtype", "body", "caption", "filename", "from", "to", "author", "ack", "isForwarded", "star",
  "quotedStanzaID", "mediaKey", "directPath", "filehash", "mimetype", "size", "duration",
]);
const ChatModel = modelClass([
  "id", "t", "unreadCount", "archive", "muteExpiration", "pin", "isReadOnly", "isLocked", "endOfHistoryTransferType",
  "ephemeralDuration", "name", "formattedTitle", "isGroup", "contact", "groupMetadata", "msgs",
]);
const ContactModel = modelClass([
  "id", "name", "shortName", "pushname", "phoneNumber", "type", "isAddressBookContact", "isMyContact", "formattedName",
]);
const GroupMetadataModel = modelClass([
  "id", "subject", "subjectTime", "creation", "owner", "desc", "restrict", "announce", "size", "isLidAddressingMode",
  "isParentGroup", "parentGroup", "defaultSubgroup", "participants",
]);
const ParticipantModel = modelClass(["id", "isAdmin", "isSuperAdmin", "contact"]);

/** Models by the id of what they stand for. */
class Collection {
  #rows;
  #one;
  #find;
  #asked;

  /**
   * @param {() => object[]} rows
   * @param {(row: object) => object} one makes the model of a row
   * @param {{find?: (id: string) => object|undefined, asked?: (call: string) => void}} [more] the row of an id, where
   *   there is a shorter way to it; what is told of a call that goes to the server
   */
  constructor(rows, one, { find, asked = () => {} } = {}) {
    this.#rows = rows;
    this.#one = one;
    this.#find = find ?? ((id) => rows().find((each) => each.id === id));
    this.#asked = asked;
  }

  get(id) {
    const row = this.#find(String(id));
    return row && this.#one(row);
  }

  getModelsArray() {
    return this.#rows().map((row) => this.#one(row));
  }

  toArray() {
    return this.getModelsArray();
  }

  get length() {
    return this.#rows().length;
  }

  /** Ask the server for what is not in memory. */
  async find(id) {
    this.#asked("find");
    return this.get(id);
  }

  /** Ask the server for the newest. */
  async update(id) {
    this.#asked("update");
    return this.get(id);
  }
}

/**
 * The collections of the page.
 *
 * @param {{store: () => object|null, tell: (frame: object) => void}} page
 */
export function createCollections({ store, tell }) {
  const of = (name, rows, find, one) =>
    new Collection(() => (store() ? rows(store()) : []), one, {
      find: (id) => (store() ? find(store(), id) : undefined),
      asked: (call) => tell({ op: "called", name: `${name}.${call}` }),
    });
  const msg = (row) => new MsgModel(messageModel(row));
  const Msg = of("Msg", (own) => [...own.shownMessages.values()], (own, id) => own.shownMessages.get(id), msg);
  const contact = (row) => new ContactModel({ ...row, ...contactOf(row, store()) });
  const Contact = of("Contact", (own) => own.contacts(), (own, id) => own.contact(id), contact);
  const group = (row) => new GroupMetadataModel({ ...row, ...groupOf(row, store(), Contact) });
  const GroupMetadata = of("GroupMetadata", (own) => own.groups(), (own, id) => own.group(id), group);
  const messagesOf = (chatId) => [...store().shownMessages.values()].filter((row) => store().chatIdOf(row) === chatId);
  const chat = (row) =>
    new ChatModel({
      ...row,
      id: new Wid(row.id),
      archive: Boolean(row.archive),
      formattedTitle: store().title(row.id),
      isGroup: row.id.endsWith("@g.us"),
      contact: Contact.get(row.id),
      groupMetadata: GroupMetadata.get(row.id),
      msgs: new Collection(() => messagesOf(row.id), msg),
    });
  const listed = (own) => own.chats().filter(({ id }) => !NOT_IN_THE_LIST.test(id));
  return { Chat: of("Chat", listed, (own, id) => own.chat(id), chat), Contact, GroupMetadata, Msg };
}

/** Bring older messages of a chat into memory, without showing them; null at the chat's beginning. */
export async function loadEarlierMsgs(store, chat) {
  const rows = chat.msgs.getModelsArray().map(({ id }) => store.shownMessages.get(String(id)));
  const oldest = rows.reduce((one, row) => (one === null || row.internalId < one.internalId ? row : one), null);
  const older = await store.messagesBefore(String(chat.id), oldest?.internalId ?? null, BATCH);
  return older.length > 0 ? older.reverse().map((row) => new MsgModel(messageModel(row))) : null;
}

function contactOf(row, store) {
  const phone = row.phoneNumber?._serialized ?? row.phoneNumber;
  return {
    id: new Wid(row.id),
    phoneNumber: phone ? new Wid(phone) : undefined,
    isMyContact: row.type === "in",
    isAddressBookContact: Boolean(row.isAddressBookContact),
    formattedName: store.displayName(row.id),
  };
}

function groupOf(row, store, contacts) {
  const { participants = [], admins = [], superAdmins = [] } = store.participants(row.id) ?? {};
  const one = (id) =>
    new ParticipantModel({
      id: new Wid(id),
      isAdmin: admins.includes(id) || superAdmins.includes(id),
      isSuperAdmin: superAdmins.includes(id),
      contact: contacts.get(id),
    });
  return {
    id: new Wid(row.id),
    owner: row.owner ? new Wid(row.owner) : undefined,
    participants: new Collection(() => participants.map((id) => ({ id })), ({ id }) => one(id)),
  };
}
