// The page's own copy of the account: chats, contacts and groups in memory, every row in IndexedDB.
// Message bodies are encrypted in IndexedDB and decrypted here for display.

import { BodyCipher, bytesOf } from "./crypto.js";
import { NAME, committed, deleteDatabase, openDatabase, result } from "./database.js";
import { Events } from "./events.js";
import { formatPhone } from "./phone.js";

const BATCH_ROWS = 5000; // One transaction each: 50,000 rows load in seconds.
const IN_MEMORY = ["chat", "contact", "group-metadata", "participant", "profile-pic-thumb"];
const CURSOR_KEY = "sync-cursor";
const RENAMED = { t: "timestamp", type: "kind", from: "sender" }; // what `idb_renamed_fields` calls them

export class Store {
  #database;
  #databaseName;
  #cipher;
  #token;
  #events = new Events();
  #memory = Object.fromEntries(IN_MEMORY.map((name) => [name, new Map()]));
  #columns = {};
  #ownIds = [];
  #shown = new Map();
  #pull = null;
  #pullAgain = false;

  /**
   * Open the database.
   *
   * @param {{hidden_idb: boolean, idb_version: number|null, idb_renamed_fields: boolean}} config
   */
  static async open(config) {
    const store = new Store();
    store.#databaseName = config.hidden_idb ? `${NAME}-v2` : NAME;
    store.#database = await openDatabase(store.#databaseName, config.idb_version);
    store.#columns = config.idb_renamed_fields ? RENAMED : {};
    return store;
  }

  /** Take the login: the key of the bodies, the token of the server, the account. */
  async logIn({ bodyKey, token, me }) {
    this.#cipher = await BodyCipher.from(bodyKey);
    this.#token = token;
    this.#ownIds = [me.id, me.lid];
    for (const name of IN_MEMORY) {
      const rows = await result(this.#read(name).getAll());
      this.#memory[name] = new Map(rows.map((row) => [keyOf(name, row), row]));
    }
  }

  /** The connection to the database. */
  get database() {
    return this.#database;
  }

  /** What columns of messages are called in the database, by their usual names. */
  get columns() {
    return this.#columns;
  }

  /** What encrypts and decrypts bodies; undefined before the login. */
  get cipher() {
    return this.#cipher;
  }

  /** Forget everything, on disk as well. */
  async wipe() {
    this.#database.close();
    await deleteDatabase(this.#databaseName);
  }

  /** Hold the messages in one transaction for as long as `isWanted` says: nobody else reads or writes them. */
  async lock(isWanted) {
    const held = this.#database.transaction("message", "readwrite").objectStore("message");
    while (isWanted()) await result(held.get("nobody's key"));
  }

  /** Call `listener` at each "change" `{store, op, key, value}`, after it is written. */
  on(name, listener) {
    return this.#events.on(name, listener);
  }

  // --- preferences -------------------------------------------------------------------------

  async preference(key) {
    return (await result(this.#read("user-prefs").get(key)))?.value;
  }

  async setPreference(key, value) {
    const transaction = this.#database.transaction("user-prefs", "readwrite");
    transaction.objectStore("user-prefs").put({ key, value });
    await committed(transaction);
  }

  // --- chats, contacts, groups -------------------------------------------------------------

  chats() {
    return [...this.#memory.chat.values()];
  }

  chat(chatId) {
    return this.#memory.chat.get(chatId);
  }

  contact(jid) {
    return this.#memory.contact.get(jid);
  }

  contacts() {
    return [...this.#memory.contact.values()];
  }

  group(chatId) {
    return this.#memory["group-metadata"].get(chatId);
  }

  groups() {
    return [...this.#memory["group-metadata"].values()];
  }

  /** The row of the store `participant`: `{participants, admins, …}` of a group. */
  participants(chatId) {
    return this.#memory.participant.get(chatId);
  }

  picture(jid) {
    return this.#memory["profile-pic-thumb"].get(jid);
  }

  /** How a person is called: the saved name, else the number, else "~" and the name they gave themselves. */
  displayName(jid) {
    const contact = this.contact(jid);
    if (contact?.name) return contact.name;
    if (!jid.endsWith("@lid")) return formatPhone(jid.split("@")[0]);
    const phone = contact?.phoneNumber;
    if (phone) return this.displayName(typeof phone === "string" ? phone : phone._serialized);
    return `~${contact?.pushname ?? jid.split("@")[0]}`;
  }

  /** The name of a chat as the list and the header show it. */
  title(chatId) {
    const group = this.group(chatId);
    if (group) return group.subject;
    return this.chat(chatId)?.name ?? this.displayName(chatId);
  }

  isOwnChat(chatId) {
    return this.#ownIds.includes(chatId);
  }

  // --- messages ----------------------------------------------------------------------------

  /** The messages in memory by their key: those that were read to be shown. */
  get shownMessages() {
    return this.#shown;
  }

  /** Messages of a chat older than `internalId` (null: the newest), newest first, decrypted. */
  async messagesBefore(chatId, internalId, limit) {
    const rows = [];
    for (const id of this.#from(internalId, this.#idsOf(chatId))) {
      const upper = internalId?.startsWith(`${id}_`) ? internalId : `${id}_g`;
      const range = IDBKeyRange.bound(`${id}_/`, upper, false, true);
      if (rows.length < limit) rows.push(...(await this.#walk(range, "prev", limit - rows.length)));
    }
    return this.#kept(rows);
  }

  /** Messages of a chat newer than `internalId`, oldest first, decrypted. */
  async messagesAfter(chatId, internalId, limit) {
    const rows = [];
    for (const id of this.#from(internalId, this.#idsOf(chatId).reverse())) {
      const lower = internalId?.startsWith(`${id}_`) ? internalId : `${id}_/`;
      const range = IDBKeyRange.bound(lower, `${id}_g`, true, false);
      if (rows.length < limit) rows.push(...(await this.#walk(range, "next", limit - rows.length)));
    }
    return this.#kept(rows);
  }

  /** The chat that shows a message row, which may still be kept under the chat's former id. */
  chatIdOf(row) {
    const id = chatOf(row);
    if (this.chat(id)) return id;
    return this.chats().find((chat) => this.#phoneOf(chat.id) === id)?.id ?? id;
  }

  /** The ids under which a chat's rows are kept, the one in use first: a LID chat had a phone id before. */
  #idsOf(chatId) {
    const phone = this.#phoneOf(chatId);
    return phone && !this.chat(phone) ? [chatId, phone] : [chatId];
  }

  #phoneOf(jid) {
    if (jid === this.#ownIds[1]) return this.#ownIds[0];
    const phone = jid.endsWith("@lid") ? this.contact(jid)?.phoneNumber : null;
    return phone?._serialized ?? phone ?? null;
  }

  /** The ids from the one in which `internalId` lies on. */
  #from(internalId, ids) {
    const start = internalId ? ids.findIndex((id) => internalId.startsWith(`${id}_`)) : 0;
    return ids.slice(Math.max(0, start));
  }

  /** One message by its packed key, decrypted; undefined when there is none. */
  async message(messageKey) {
    const row = await result(this.#read("message").get(messageKey));
    return row && (await this.#kept([row]))[0];
  }

  /** The newest message of each of these chats, decrypted. */
  async lastMessages(chatIds) {
    const index = this.#read("message").index("internalId");
    const ids = [...new Set(chatIds.flatMap((chatId) => this.#idsOf(chatId).reverse()))]; // the one in use decides
    const rows = await Promise.all(
      ids.map((id) => lastOf(index.openCursor(IDBKeyRange.bound(`${id}_/`, `${id}_g`), "prev"))),
    );
    const messages = await this.#kept(rows.filter(Boolean));
    return new Map(messages.map((message) => [this.chatIdOf(message), message]));
  }

  /** The newest messages of the account that satisfy `test`, newest first; looks at `depth` rows at most. */
  async newestMatching(test, { depth, limit }) {
    const index = this.#read("message").index("rowId");
    const rows = await walked(index.openCursor(null, "prev"), depth);
    return (await this.#decrypted(rows)).filter(test).slice(0, limit);
  }

  /** Keys of the incoming messages that the chat's unread count speaks of. */
  async unreadIds(chatId) {
    const wanted = Math.max(0, this.chat(chatId)?.unreadCount ?? 0);
    if (wanted === 0) return [];
    const ids = [];
    for (const id of this.#idsOf(chatId)) {
      if (ids.length >= wanted) break;
      const index = this.#read("message").index("internalId");
      const request = index.openCursor(IDBKeyRange.bound(`${id}_/`, `${id}_g`), "prev");
      await each(request, (cursor) => {
        if (String(cursor.primaryKey).startsWith("false_")) ids.push(cursor.primaryKey);
        return ids.length < wanted;
      });
    }
    return ids;
  }

  /** Rows of the store `reactions` for one message that have not been taken back. */
  async reactionsFor(messageKey) {
    const rows = await result(this.#read("reactions").index("parentMsgKey").getAll(messageKey));
    return rows.filter((row) => row.reactionText);
  }

  // --- writing -----------------------------------------------------------------------------

  /** Write one row and tell the listeners. */
  async write(name, row) {
    await this.#apply([{ store: name, op: "put", key: keyOf(name, row), value: row }]);
  }

  /**
   * Fetch what changed on the server since the last pull, and write it.
   *
   * @param {(done: number, total: number) => void} [progress]
   */
  pull(progress = () => {}) {
    if (this.#pull) {
      this.#pullAgain = true;
      return this.#pull;
    }
    this.#pull = this.#pullAll(progress).finally(() => {
      this.#pull = null;
    });
    return this.#pull;
  }

  async #pullAll(progress) {
    do {
      this.#pullAgain = false;
      let seen = 0;
      let total = 0;
      let next = this.#ask((await this.preference(CURSOR_KEY)) ?? 0);
      while (next) {
        const page = await next;
        next = page.done ? null : this.#ask(page.next); // comes while this one is written
        next?.catch(() => {}); // told where it is awaited
        await this.#apply(page.changes, page.next);
        if (page.done) this.#events.emit("pulled", page.next);
        seen += page.changes.length;
        total = Math.max(total, page.total); // The server counts what is left.
        progress(seen, total);
      }
    } while (this.#pullAgain);
  }

  /** Ask the server for what changed after a cursor. */
  async #ask(after) {
    const answer = await fetch(`/page/sync?${new URLSearchParams({ after, limit: BATCH_ROWS, token: this.#token })}`);
    if (!answer.ok) throw new Error(`sync answered ${answer.status}`);
    return answer.json();
  }

  /** Write changes in one transaction, with the cursor they lead to, then announce them. */
  async #apply(changes, cursor) {
    const rows = await Promise.all(changes.map((change) => this.#toRow(change)));
    const names = [...new Set([...changes.map((change) => change.store), "user-prefs"])];
    const transaction = this.#database.transaction(names, "readwrite", { durability: "relaxed" });
    changes.forEach(({ store, op, key }, position) => {
      if (op === "delete") transaction.objectStore(store).delete(key);
      else transaction.objectStore(store).put(rows[position]);
    });
    if (cursor !== undefined) transaction.objectStore("user-prefs").put({ key: CURSOR_KEY, value: cursor });
    transaction.commit();
    await committed(transaction);
    changes.forEach((change, position) => this.#remember(change, rows[position]));
    changes.forEach(({ store, op, key }, position) => {
      this.#events.emit("change", { store, op, key, value: rows[position] });
    });
    if (changes.length > 0) this.#events.emit("changes", changes);
  }

  #remember({ store, op, key }, row) {
    if (store === "message") this.#shown.delete(key); // what shows it reads it again
    const memory = this.#memory[store];
    if (!memory) return;
    if (op === "delete") memory.delete(key);
    else memory.set(keyOf(store, row), row);
  }

  async #toRow({ op, value }) {
    if (op === "delete") return undefined;
    const row = revived(value);
    if (!("$body" in row)) return row;
    const { $body: body, ...rest } = row;
    return renamed({ ...rest, msgRowOpaqueData: await this.#cipher.seal(body) }, this.#columns);
  }

  #read(name) {
    return this.#database.transaction(name, "readonly").objectStore(name);
  }

  #walk(range, direction, limit) {
    return walked(this.#read("message").index("internalId").openCursor(range, direction), limit);
  }

  async #kept(rows) {
    const messages = await this.#decrypted(rows);
    for (const message of messages) this.#shown.set(message.id, message);
    return messages;
  }

  async #decrypted(rows) {
    const known = rows.map((row) => renamed(row, this.#columns, { back: true }));
    return Promise.all(known.map(async (row) => ({ ...row, body: await this.#cipher.open(row.msgRowOpaqueData) })));
  }
}

/** The row with other names for its columns, or with its own again. */
export function renamed(row, columns, { back = false } = {}) {
  const names = Object.entries(columns);
  if (names.length === 0) return row;
  const result = { ...row };
  for (const [own, other] of names) {
    const [from, to] = back ? [other, own] : [own, other];
    if (!(from in result)) continue;
    result[to] = result[from];
    delete result[from];
  }
  return result;
}

/** The chat that a message row belongs to: its key's second part. */
export function chatOf(row) {
  return row.id.split("_")[1];
}

function keyOf(name, row) {
  if (name === "participant") return row.groupId;
  if (name === "reactions") return [row.parentMsgKey, row.senderUserJid];
  return name === "user-prefs" ? row.key : row.id;
}

/** Turn `{"$undefined": true}` and `{"$bytes": base64}` of the wire into what IndexedDB stores. */
function revived(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(revived);
  if (value.$undefined) return undefined;
  if (typeof value.$bytes === "string") return bytesOf(value.$bytes);
  const row = {};
  for (const [key, inner] of Object.entries(value)) row[key] = key === "$body" ? inner : revived(inner);
  return row;
}

/** Go through a cursor until `visit` returns false. */
function each(request, visit) {
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor && visit(cursor)) cursor.continue();
      else resolve();
    };
  });
}

async function walked(request, limit) {
  const rows = [];
  await each(request, (cursor) => {
    rows.push(cursor.value);
    return rows.length < limit;
  });
  return rows;
}

async function lastOf(request) {
  return (await walked(request, 1))[0];
}
