// Ids as the client holds them in memory: `Wid` of a person, group or list, `MsgKey` of a message.

import { era } from "./era.js";

const GROUP = "g.us";
const LID = "lid";
const PERSONS = ["c.us", LID];

/** An id `<user>@<server>`; rows hold the same three fields without methods. */
export class Wid {
  /** @param {string} text `<user>@<server>` */
  constructor(text) {
    const [user, server] = text.split("@");
    this.server = server;
    this.user = user;
    this._serialized = text;
  }

  toString() {
    return this._serialized;
  }

  toJid() {
    return this._serialized;
  }

  isLid() {
    return this.server === LID;
  }

  isGroup() {
    return this.server === GROUP;
  }

  isUser() {
    return PERSONS.includes(this.server);
  }

  equals(other) {
    return String(other) === this._serialized;
  }
}

/** The id of a row's column, which is a text or an object, as `Wid`; undefined where there is none. */
export function widOf(value) {
  const text = typeof value === "string" ? value : value?._serialized;
  return text ? new Wid(text) : undefined;
}

let hasSerializedKeys = null;

/** Decide whether keys carry `_serialized`; null: as the page's release has it. */
export function useSerializedKeys(decision) {
  hasSerializedKeys = decision;
}

/** The key of a message. It lost its `_serialized` in July 2026; `String(key)` gives the packed form ever since. */
export class MsgKey {
  #packed;

  /** @param {string} packed `<fromMe>_<chat>_<stanza id>[_out|_in][_<participant>]` */
  constructor(packed) {
    const [fromMe, remote, id, ...rest] = packed.split("_");
    const participant = rest.find((part) => part.includes("@"));
    this.#packed = packed;
    this.fromMe = fromMe === "true";
    this.remote = new Wid(remote);
    this.id = id;
    if (participant) this.participant = new Wid(participant);
    if (hasSerializedKeys ?? era().hasSerializedKeys) this._serialized = packed;
  }

  static fromString(packed) {
    return new MsgKey(packed);
  }

  static from(value) {
    return value instanceof MsgKey ? value : new MsgKey(String(value));
  }

  toString() {
    return this.#packed;
  }

  equals(other) {
    return String(other) === this.#packed;
  }
}
