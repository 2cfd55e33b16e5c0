// Reads the browser's own storage beside the running page, in one read-only transaction that is
// opened and closed here. Creates nothing, patches nothing. Answers one JSON string:
// {"ok": ...} or {"error": <named reason>, "detail": <store or field>}.
async (args) => {
  class Unreadable extends Error {
    constructor(reason, detail) {
      super(reason);
      this.reason = reason;
      this.detail = detail || null;
    }
  }

  // --- ids -----------------------------------------------------------------------------------

  const idText = (value) => {
    if (value === null || value === undefined) return null;
    if (typeof value === 'string') return value;
    if (typeof value._serialized === 'string') return value._serialized;
    if (typeof value.user === 'string' && typeof value.server === 'string') return `${value.user}@${value.server}`;
    if (value.id !== undefined) return idText(value.id);
    const text = String(value);
    return text.startsWith('[object') ? null : text;
  };

  // "4915…:12@s.whatsapp.net" is the same person as "4915…@c.us".
  const wid = (value) => {
    const text = idText(value);
    if (!text || !text.includes('@')) return null;
    const at = text.lastIndexOf('@');
    const user = text.slice(0, at).replace(/(?:\.\d+)?:\d+$/, '');
    const server = text.slice(at + 1);
    return `${user}@${server === 's.whatsapp.net' ? 'c.us' : server}`;
  };

  const KEY = /^(true|false)_([^_]+@[^_]+)_(.+?)(?:_(?:in|out))?(?:_([^_]+@[^_]+?))?(?:_(?:in|out))?$/;

  // [outgoing, chat, stanza id, participant]; own messages in groups end with the own id.
  const key = (value) => {
    const match = KEY.exec(idText(value) || '');
    if (!match) return null;
    const outgoing = match[1] === 'true';
    const chat = wid(match[2]);
    let participant = wid(match[4]);
    if (outgoing && !participant && chat.endsWith('@g.us') && args.own) participant = args.own;
    return [outgoing, chat, match[3], participant];
  };

  const joined = (parts) => `${parts[0]}_${parts[1]}_${parts[2]}${parts[3] ? `_${parts[3]}` : ''}`;

  // --- values --------------------------------------------------------------------------------

  const text = (value) => (typeof value === 'string' && value !== '' ? value : null);
  const number = (value) => {
    const plain = typeof value === 'string' && value !== '' ? Number(value) : value;
    return typeof plain === 'number' && Number.isFinite(plain) ? plain : null;
  };
  const whole = (value) => (number(value) === null ? null : Math.round(number(value)));

  // Some columns are in milliseconds, some in seconds.
  const stamp = (value) => {
    const plain = number(value);
    return plain !== null && plain > 1e11 ? plain / 1000 : plain;
  };

  const hex = (base64) => {
    if (!text(base64)) return null;
    try {
      return Array.from(atob(base64), (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('');
    } catch {
      return null;
    }
  };

  const base64 = (value) => {
    if (typeof value === 'string') return hex(value) ? value : null;
    const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
    return bytes instanceof Uint8Array ? btoa(String.fromCharCode(...bytes)) : null;
  };

  // Changes when type, latest edit or media change; the same here for the scan and for one chat.
  const revision = (row) => {
    const edit = idText(row.latestEditMsgKey);
    return [row.type, text(row.subtype) || '', edit || '', (text(row.filehash) || '').slice(0, 12)].join('|');
  };

  const isMessage = (row) => typeof row.type === 'string' && !args.skipped_types.includes(row.type);

  // --- database ------------------------------------------------------------------------------

  const open = async () => {
    if (typeof indexedDB === 'undefined') throw new Unreadable('no_indexeddb');
    if (typeof indexedDB.databases === 'function') {
      const names = (await indexedDB.databases()).map((entry) => entry.name);
      if (!names.includes(args.database)) throw new Unreadable('missing_database', args.database);
    }
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(args.database);
      let created = false;
      request.onupgradeneeded = () => {
        // Opening would have made the database: undo that.
        created = true;
        request.transaction.abort();
      };
      request.onblocked = () => reject(new Unreadable('blocked', args.database));
      request.onerror = () => reject(new Unreadable(created ? 'missing_database' : 'not_opened', args.database));
      request.onsuccess = () => {
        const database = request.result;
        // The client's own version upgrade must never wait for a read.
        database.onversionchange = () => database.close();
        if (late) {
          database.close();
          return;
        }
        resolve(database);
      };
    });
  };

  let database = null;
  let late = false;
  let looked = 0; // Rows of the `message` store that were read for this question.

  const answer = (request, detail) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Unreadable('not_read', detail));
    });

  const has = (store) => database.objectStoreNames.contains(store);
  const storeOf = (name) => {
    if (!has(name)) throw new Unreadable('missing_store', name);
    return database.transaction(name, 'readonly').objectStore(name);
  };
  const indexOf = (name, index) => {
    const store = storeOf(name);
    if (!store.indexNames.contains(index)) throw new Unreadable('missing_index', `${name}.${index}`);
    return store.index(index);
  };
  const all = async (name) => answer(storeOf(name).getAll(), name);
  const allIfThere = async (name) => (has(name) ? all(name) : []);
  const need = (rows, store, ...fields) => {
    for (const field of fields) {
      if (rows.length > 0 && !rows.some((row) => row[field] !== undefined)) {
        throw new Unreadable('missing_field', `${store}.${field}`);
      }
    }
    return rows;
  };

  // Everything of one chat, in pages: `internalId` is "<chat>_<order>_m", the order in hex digits.
  const chatRows = async function* (chat) {
    let range = IDBKeyRange.bound(`${chat}_/`, `${chat}_g`);
    for (;;) {
      const rows = await answer(indexOf('message', 'internalId').getAll(range, args.page), 'message.internalId');
      looked += rows.length;
      yield rows;
      if (rows.length < args.page) return;
      range = IDBKeyRange.bound(rows[rows.length - 1].internalId, `${chat}_g`, true);
    }
  };

  // The newest rows of one chat, oldest first: down to the last that is wanted, and some more. A cursor takes as long
  // for a row as a page for fifty, so where about half of the chat is wanted all of it is read.
  const newestRows = async function* (chat, keys) {
    const range = IDBKeyRange.bound(`${chat}_/`, `${chat}_g`);
    const held = await answer(indexOf('message', 'internalId').count(range), 'message.internalId');
    if (held <= 2 * keys.length + args.around) {
      yield* chatRows(chat);
      return;
    }
    const wanted = new Set(keys);
    let more = args.around;
    const { rows } = await downwards(
      indexOf('message', 'internalId'),
      range,
      'message.internalId',
      (row) => {
        const parts = key(row.id);
        if (parts) wanted.delete(joined(parts));
        if (wanted.size === 0) more -= 1;
        return more > 0;
      },
    );
    yield rows.reverse();
  };

  // Rows of an index from its upper end down, as long as `wants` says so.
  const downwards = (index, range, detail, wants) =>
    new Promise((resolve, reject) => {
      const rows = [];
      const request = index.openCursor(range, 'prev');
      request.onerror = () => reject(new Unreadable('not_read', detail));
      request.onsuccess = () => {
        const cursor = request.result;
        if (cursor) {
          looked += 1;
          rows.push(cursor.value);
        }
        if (cursor && wants(cursor.value, rows)) cursor.continue();
        else resolve({ rows, isAtEnd: !cursor });
      };
    });

  // What decides whether a message must be read again, of rows since `args.since`.
  const entries = (rows) => {
    const found = [];
    let unreadable = 0;
    for (const row of need(rows, 'message', 'id', 't', 'type')) {
      if (!isMessage(row)) continue;
      const parts = key(row.id);
      const t = number(row.t);
      if (!parts || t === null) {
        unreadable += 1;
        continue;
      }
      if (t >= args.since) found.push([joined(parts), parts[1], t, revision(row), number(row.expiredTimestamp)]);
    }
    return { rows: found, unreadable };
  };

  const reaction = (row) => {
    const parent = key(row.parentMsgKey);
    const sender = wid(row.senderUserJid);
    const seconds = stamp(row.timestamp) ?? stamp(row.t);
    return parent && sender && seconds !== null ? [parent, sender, text(row.reactionText), seconds] : null;
  };

  // Key of a message of one chat -> stanza id of what it belongs to, as a picture to its album.
  const parentsIn = async (chat) => {
    const parents = new Map();
    if (!has('message-association')) return parents;
    for (const outgoing of ['true', 'false']) {
      const prefix = `${outgoing}_${chat}_`;
      const range = IDBKeyRange.bound([prefix], [`${prefix}\uffff`]);
      for (const row of await answer(storeOf('message-association').getAll(range), 'message-association')) {
        const child = key(row.msgKey);
        const parent = key(row.parentMsgKey);
        if (child && parent) parents.set(joined(child), parent[2]);
      }
    }
    return parents;
  };

  const end = (row) => (row && Number.isInteger(row.rowId) ? { id: idText(row.id), row: row.rowId } : null);

  // --- questions -----------------------------------------------------------------------------

  const questions = {
    async chats() {
      const rows = need(await all('chat'), 'chat', 'id', 't');
      return rows.map((row) => ({
        id: wid(row.id),
        t: number(row.t),
        unread: whole(row.unreadCount),
        archived: row.archive === true,
        pinned: Boolean(row.pin),
        muted: Boolean(row.muteExpiration),
        locked: row.isLocked === true || row.locked === true,
        readonly: row.isReadOnly === true,
        ephemeral: whole(row.ephemeralDuration),
        history: whole(row.endOfHistoryTransferType),
        name: text(row.name) || text(row.formattedTitle),
      }));
    },

    async contacts() {
      const rows = need(await all('contact'), 'contact', 'id');
      return rows.map((row) => ({
        id: wid(row.id),
        name: text(row.name) || text(row.verifiedName),
        saved: Boolean(text(row.name)),
        push: text(row.pushname),
        phone: wid(row.phoneNumber),
      }));
    },

    async groups() {
      const members = new Map(
        (await allIfThere('participant')).map((row) => [wid(row.groupId), row.participants || []]),
      );
      const rows = need(await all('group-metadata'), 'group-metadata', 'id');
      return [...rows, ...(await allIfThere('broadcast-metadata'))].map((row) => {
        const id = wid(row.id);
        return {
          id,
          subject: text(row.subject),
          owner: wid(row.owner),
          size: whole(row.size),
          ephemeral: whole(row.ephemeralDuration),
          participants: (members.get(id) || row.recipients || []).map(wid).filter(Boolean),
        };
      });
    },

    async lids() {
      const pairs = {};
      for (const row of await allIfThere('lid-pn-mapping')) {
        const lid = wid(row.lid === undefined ? row.id : row.lid);
        const phone = wid(row.phoneNumber);
        if (lid && phone) pairs[lid] = phone;
      }
      for (const row of await allIfThere('contact')) {
        const id = wid(row.id);
        const phone = wid(row.phoneNumber);
        if (id && phone && id.endsWith('@lid')) pairs[id] = phone;
      }
      return pairs;
    },

    // One page of reactions after `args.after`; `next` is null at the end.
    async reactions() {
      const range = args.after ? IDBKeyRange.lowerBound(args.after, true) : null;
      const rows = await answer(storeOf('reactions').getAll(range, args.page), 'reactions');
      const found = [];
      let unreadable = 0;
      for (const row of rows) {
        const told = reaction(row);
        if (told === null) unreadable += 1;
        else if (told[3] >= args.since) found.push(told);
      }
      const last = rows[rows.length - 1];
      const next = rows.length < args.page ? null : [last.parentMsgKey, last.senderUserJid];
      return { rows: found, unreadable, next };
    },

    // One page of all messages in the order of their ids; whatever rowId order history arrived in,
    // none is passed over. Answers only what decides whether a message must be read again.
    async index() {
      const range = args.after ? IDBKeyRange.lowerBound(args.after, true) : null;
      const rows = await answer(storeOf('message').getAll(range, args.page), 'message');
      looked += rows.length;
      return { ...entries(rows), next: rows.length < args.page ? null : rows[rows.length - 1].id };
    },

    // The ends of the feed: rows are numbered upwards as they come, and downwards as history does. Which row has
    // the number `args.hi` tells whether it is the same feed as before.
    async ends() {
      const index = () => indexOf('message', 'rowId');
      const one = async (direction) => (await answer(index().openCursor(null, direction), 'message.rowId'))?.value;
      const at = args.hi === null ? undefined : await answer(index().get(args.hi), 'message.rowId');
      looked += 3;
      return {
        newest: end(await one('prev')),
        oldest: end(await one('next')),
        at_hi: end(at),
        reactions: has('reactions') ? await answer(storeOf('reactions').count(), 'reactions') : null,
      };
    },

    // One page of the rows beyond the number `args.after`; `next` is null at the end.
    async feed() {
      const index = indexOf('message', 'rowId');
      const rows = args.downwards
        ? (await downwards(index, IDBKeyRange.upperBound(args.after, true), 'message.rowId', (_, all) => all.length < args.page)).rows
        : await answer(index.getAll(IDBKeyRange.lowerBound(args.after, true), args.page), 'message.rowId');
      if (!args.downwards) looked += rows.length;
      const last = rows[rows.length - 1];
      if (last && !Number.isInteger(last.rowId)) throw new Unreadable('missing_field', 'message.rowId');
      return { ...entries(rows), last: end(last), next: rows.length < args.page ? null : last.rowId };
    },

    // A page of what came into some chats since `args.since`, newest first in each, with the reactions to it. A chat
    // ends with the third row in a row that is older: clocks differ. `args.after` is [place in `chats`, internalId].
    async recent() {
      const found = [];
      const [first, upper] = args.after || [0, null];
      let next = null;
      for (let place = first; place < args.chats.length && next === null; place += 1) {
        const chat = args.chats[place];
        const top = place === first && upper ? upper : `${chat}_g`;
        let older = 0;
        const { rows, isAtEnd } = await downwards(
          indexOf('message', 'internalId'),
          IDBKeyRange.bound(`${chat}_/`, top, false, true),
          'message.internalId',
          (row, all) => {
            older = number(row.t) < args.since ? older + 1 : 0;
            return older < 3 && found.length + all.length < args.page;
          },
        );
        found.push(...rows);
        if (isAtEnd || older >= 3) continue;
        next = [place, rows[rows.length - 1].internalId];
      }
      const given = has('reactions') ? storeOf('reactions') : null;
      const reactions = await Promise.all(
        found
          .filter((row) => given && number(row.t) >= args.since && typeof row.id === 'string')
          .map((row) => answer(given.getAll(IDBKeyRange.bound([row.id], [row.id, []])), 'reactions')),
      );
      return { ...entries(found), reactions: reactions.flat().map(reaction).filter(Boolean), next };
    },


    // Of each chat of `args.asked` the messages since `args.since`, oldest first as stored; with `wanted` those down to
    // the last of these keys, and as many again as `args.around` says: albums and answers are understood by what is near.
    async messages() {
      let unreadable = 0;
      const chats = [];
      for (const asked of args.asked) {
        const parents = await parentsIn(asked.chat);
        const found = [];
        for await (const rows of asked.wanted ? newestRows(asked.chat, asked.wanted) : chatRows(asked.chat)) {
          for (const row of need(rows, 'message', 'id', 't', 'type')) {
            if (!isMessage(row) || number(row.t) < args.since) continue;
            const parts = key(row.id);
            if (!parts || number(row.t) === null) {
              unreadable += 1;
              continue;
            }
            found.push({
              key: parts,
              id: idText(row.id),
              type: row.type,
              subtype: text(row.subtype) || (row.isViewOnce === true ? 'view_once' : null),
              t: number(row.t),
              revision: revision(row),
              sender: wid(row.author) || parts[3] || wid(row.from),
              forwarded: row.isForwarded === true || number(row.forwardingScore) > 0,
              edit: idText(row.latestEditMsgKey),
              quoted: text(row.quotedStanzaID),
              quoted_by: wid(row.quotedParticipant),
              mimetype: text(row.mimetype),
              sha256: hex(row.filehash),
              name: text(row.filename),
              size: whole(row.size),
              width: whole(row.width),
              height: whole(row.height),
              duration: number(row.duration),
              expires: number(row.expiredTimestamp),
              parent: parents.get(joined(parts)) || (key(row.parentMsgKey) || [])[2] || null,
              revoked: stamp(row.revokeTimestamp),
              revoked_by: wid(row.revokeSender),
            });
          }
        }
        chats.push(found);
      }
      return { chats, unreadable };
    },

    // How the files of some messages of one chat lie on the server. What disappears when it was seen once is
    // left out; a key that is no text is one in bytes.
    async media() {
      const wanted = new Set(args.stanzas);
      const found = [];
      for await (const rows of chatRows(args.chat)) {
        for (const row of rows) {
          const parts = isMessage(row) && !(number(row.t) < args.since) && row.isViewOnce !== true ? key(row.id) : null;
          if (!parts || !wanted.has(parts[2])) continue;
          const mediaKey = base64(row.mediaKey);
          if (!mediaKey || !text(row.directPath)) continue;
          found.push({
            key: parts,
            path: row.directPath,
            media_key: mediaKey,
            sha256: hex(row.filehash),
            enc_sha256: hex(row.encFilehash),
            size: whole(row.size),
          });
        }
      }
      return found;
    },

    // Chat id -> time of the oldest row held of it, of the chats asked for.
    async oldest() {
      const found = {};
      for (const chat of args.chats) {
        const range = IDBKeyRange.bound(`${chat}_/`, `${chat}_g`);
        const [row] = await answer(indexOf('message', 'internalId').getAll(range, 1), 'message.internalId');
        if (row && number(row.t) !== null) found[chat] = number(row.t);
      }
      return found;
    },

    // Stanza id -> time of every message of one chat, whatever its age: what may be shown there. An
    // album is shown under ids made of its parent's or its children's.
    async times() {
      const found = {};
      for await (const rows of chatRows(args.chat)) {
        for (const row of rows) {
          const parts = isMessage(row) || row.type === 'album' ? key(row.id) : null;
          if (parts && number(row.t) !== null) found[parts[2]] = number(row.t);
        }
      }
      return found;
    },

    // The newest row of all chats as listed here: id, number, time, type; null in an empty storage.
    async newest() {
      const cursor = await answer(indexOf('message', 'rowId').openCursor(null, 'prev'), 'message.rowId');
      const row = cursor && cursor.value;
      if (row) looked += 1;
      return row && { id: idText(row.id), row: row.rowId, t: number(row.t), type: row.type };
    },

    async unread() {
      const row = await answer(storeOf('chat').get(args.chat), 'chat');
      return row === undefined ? null : whole(row.unreadCount);
    },
  };

  // -------------------------------------------------------------------------------------------

  let timer = null;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Unreadable('timed_out', args.question)), args.deadline_ms);
  });
  try {
    const read = async () => {
      database = await open();
      return questions[args.question]();
    };
    return JSON.stringify({ ok: await Promise.race([read(), deadline]), version: database.version, looked });
  } catch (error) {
    if (error instanceof Unreadable) return JSON.stringify({ error: error.reason, detail: error.detail });
    // The name of a DOM or language error is a closed set; its text may hold data.
    return JSON.stringify({ error: 'refused', detail: error.name });
  } finally {
    late = true;
    clearTimeout(timer);
    if (database) database.close();
  }
}
