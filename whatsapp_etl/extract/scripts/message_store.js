// Reads the client's own message table through its module loader: the self-test, and messages by their keys.
//
// Only what the client's full-text index does itself: pure reads. Nothing is sent, marked, found or updated,
// nothing patched or created; names are probed before they are asked for, since asking for an unknown one is
// reported to the server. Every promise is raced with a deadline. Answers one JSON string: {"ok": ...}, or
// {"reason": <named>, "detail": <name of a module, member, column or error>}, both with the steps "passed".
async (args) => {
  class Unavailable extends Error {
    constructor(reason, detail) {
      super(reason);
      this.reason = reason;
      this.detail = detail || null;
    }
  }

  const passed = [];
  const timers = [];

  const within = (promise, milliseconds, reason, detail) =>
    Promise.race([
      promise,
      new Promise((_, reject) => {
        timers.push(setTimeout(() => reject(new Unavailable(reason, detail)), milliseconds));
      }),
    ]);

  const pause = (milliseconds) =>
    new Promise((resolve) => {
      timers.push(setTimeout(resolve, milliseconds));
    });

  // --- the loader --------------------------------------------------------------------------------

  const modulesMap = () => {
    if (typeof require !== 'function' || typeof importNamespace !== 'function') throw new Unavailable('no_loader');
    const map = require('__debug')?.modulesMap;
    if (!map || typeof map !== 'object' || typeof require('ifRequireable') !== 'function') {
      throw new Unavailable('no_loader');
    }
    return map;
  };

  // Modules register while the page starts: their number must stand still before any is asked for.
  const settled = async () => {
    const end = performance.now() + args.settle_within_ms;
    let count = Object.keys(modulesMap()).length;
    let since = performance.now();
    while (performance.now() - since < args.settled_for_ms) {
      if (performance.now() > end) throw new Unavailable('modules_unsettled');
      await pause(Math.min(50, args.settled_for_ms));
      const now = Object.keys(modulesMap()).length;
      if (now !== count) {
        count = now;
        since = performance.now();
      }
    }
  };

  const module = (name) => {
    if (!(name in modulesMap())) throw new Unavailable('module_missing', name);
    let found = null;
    require('ifRequireable')(
      name,
      (exports) => {
        found = exports;
      },
      () => {
        throw new Unavailable('module_unresolved', name);
      },
    );
    if (!found) throw new Unavailable('module_unresolved', name);
    return found;
  };

  const member = (holder, name, path, type = 'function') => {
    const value = holder?.[name];
    if (typeof value !== type || value === null) throw new Unavailable('member_missing', `${path}.${name}`);
    return value;
  };

  const parts = () => {
    const schema = module('WAWebSchemaMessage');
    const serialization = module('WAWebDBMessageSerialization');
    const encryption = module('WAWebDbEncryptionKey');
    const stream = module('WAWebStreamModel');
    const socket = module('WAWebSocketModel');
    passed.push('modules');
    member(schema, 'getMessageTable', 'WAWebSchemaMessage');
    const table = schema.getMessageTable();
    for (const call of ['bulkGet', 'lessThan']) member(table, call, 'WAWebSchemaMessage.getMessageTable()');
    member(serialization, 'messageFromDbRow', 'WAWebDBMessageSerialization');
    const keys = member(encryption, 'DbEncKeyStore', 'WAWebDbEncryptionKey', 'object');
    member(keys, 'waitForFinalDbMsgEncKey', 'WAWebDbEncryptionKey.DbEncKeyStore');
    const streamState = member(stream, 'Stream', 'WAWebStreamModel', 'object');
    const socketState = member(socket, 'Socket', 'WAWebSocketModel', 'object');
    passed.push('members');
    return { table, decode: (row) => serialization.messageFromDbRow(row), keys, streamState, socketState };
  };

  const prepared = async () => {
    modulesMap();
    passed.push('loader');
    // Once for each load of the page.
    if (args.settled_at !== performance.timeOrigin) await settled();
    passed.push('settled');
    const found = parts();
    const { streamState, socketState } = found;
    if (streamState.mode !== 'MAIN') throw new Unavailable('not_synced', 'Stream.mode');
    if (socketState.state !== 'CONNECTED') throw new Unavailable('not_synced', 'Socket.state');
    if (socketState.hasSynced !== true) throw new Unavailable('not_synced', 'Socket.hasSynced');
    passed.push('state');
    await within(found.keys.waitForFinalDbMsgEncKey(), args.key_within_ms, 'key_late');
    passed.push('key');
    return found;
  };

  // --- rows --------------------------------------------------------------------------------------

  const text = (value) => (typeof value === 'string' && value !== '' ? value : undefined);
  const idText = (value) => {
    if (value === null || value === undefined) return undefined;
    const found = typeof value === 'string' ? value : value._serialized || String(value);
    return found.includes('@') ? found : undefined;
  };
  const list = (value) => (Array.isArray(value) ? value : []);

  const PREVIEWED = ['image', 'video', 'gif', 'ptv', 'document', 'location', 'sticker', 'vcard', 'multi_vcard'];

  const quoted = (message) => {
    const answered = message.quotedMsg;
    if (!answered || typeof answered !== 'object') return undefined;
    // A picture's body is its preview in base64, unless there is none; then it is what somebody wrote.
    const isPreview = PREVIEWED.includes(answered.type) && /^[A-Za-z0-9+/=]{60,}$/.test(answered.body);
    return { type: text(answered.type), text: text(answered.caption) ?? (isPreview ? undefined : text(answered.body)) };
  };

  const SHAPE = ['id', 't', 'type'];

  const shaped = (row) => {
    for (const column of [...SHAPE, 'rowId']) {
      if (row?.[column] === undefined || row[column] === null) throw new Unavailable('row_shape', column);
    }
    if (!Number.isInteger(row.t) || typeof row.type !== 'string') throw new Unavailable('row_shape', 't');
    return row;
  };

  // The message of a row, as primitives; fields that are not there are left out.
  const told = (row, decode) => {
    const message = decode(row);
    for (const column of SHAPE) {
      if (message?.[column] === undefined) throw new Unavailable('not_decoded', column);
    }
    if (String(message.id) !== row.id) throw new Unavailable('not_decoded', 'id');
    if (message.t !== row.t || message.type !== row.type) throw new Unavailable('not_decoded', 't');
    const isPreviewed = PREVIEWED.includes(message.type);
    // What may be seen only once does not leave the page.
    if (message.isViewOnce === true) {
      return { id: row.id, t: message.t, type: message.type, once: true, mentioned: [], cards: [], options: [] };
    }
    return {
      id: row.id,
      t: message.t,
      type: message.type,
      subtype: text(message.subtype),
      body: isPreviewed ? undefined : text(message.body),
      opened: Boolean(text(message.body) || text(message.caption)) || undefined,
      caption: text(message.caption),
      file: text(message.filename),
      mentioned: list(message.mentionedJidList).map(idText).filter(Boolean),
      forwarded: message.isForwarded === true || message.forwardingScore > 0 || undefined,
      edited: message.latestEditMsgKey !== undefined && message.latestEditMsgKey !== null ? true : undefined,
      gif: message.isGif === true || undefined,
      live: message.isLive === true || undefined,
      place: text(message.loc),
      cards:
        message.type === 'multi_vcard'
          ? list(message.vcardList).map((card) => text(card?.displayName) ?? '')
          : [message.vcardFormattedName].map(text).filter(Boolean),
      poll: text(message.pollName),
      options: list(message.pollOptions).map((option) => text(option?.name) ?? text(option) ?? ''),
      event: text(message.eventName),
      group: text(message.inviteGrpName),
      call: message.callOutcome === undefined ? undefined : String(message.callOutcome),
      video: message.isVideoCall === true || undefined,
      quoted: quoted(message),
    };
  };

  // The messages of rows; one that does not decode is left out, and so is a text message without text. Where none
  // decodes, or no text message has a text, it is the store that has changed.
  const decoded = (rows, decode) => {
    const found = [];
    let failure = null;
    let lacking = 0;
    for (const row of rows.map(shaped)) {
      try {
        const message = told(row, decode);
        if (message.type === 'chat' && message.body === undefined) lacking += 1;
        else found.push(message);
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure && found.length === 0) throw failure;
    if (lacking > 0 && !found.some((message) => message.type === 'chat')) throw new Unavailable('not_decoded', 'body');
    return found;
  };

  const reading = async (promise, detail) => {
    try {
      return await within(promise, args.read_within_ms, 'timed_out', detail);
    } catch (error) {
      // A column that is not indexed any more was renamed.
      if (error?.name === 'SchemaError') throw new Unavailable('row_shape', 'rowId');
      throw error;
    }
  };

  // --- questions ---------------------------------------------------------------------------------

  const questions = {
    // Proves each capability; `args.listed` is the newest row as the browser's storage lists it.
    async check() {
      const { table, decode } = await prepared();
      const newest = await reading(
        table.lessThan(['rowId'], Number.MAX_SAFE_INTEGER, { reverse: true, limit: args.sample }),
        'lessThan',
      );
      if (!Array.isArray(newest)) throw new Unavailable('row_shape', 'lessThan');
      if (newest.length === 0 || !args.listed) throw new Unavailable('table_empty');
      newest.forEach(shaped);
      passed.push('rows');
      decoded(newest, decode);
      passed.push('decoding');
      const [again] = await reading(table.bulkGet([args.listed.id]), 'bulkGet');
      if (!again || newest[0].rowId < args.listed.row) throw new Unavailable('not_listed', 'rowId');
      if (shaped(again).t !== args.listed.t) throw new Unavailable('not_listed', 't');
      if (again.type !== args.listed.type) throw new Unavailable('not_listed', 'type');
      decoded([again], decode);
      passed.push('listed');
      return { rows: newest.length };
    },

    // By chat the newest message of the first of its ids that has one; a chat whose newest does not decode lacks.
    async newest() {
      const { table, decode } = await prepared();
      const found = {};
      for (const [chat, ids] of Object.entries(args.chats)) {
        for (const id of ids) {
          const range = { reverse: true, limit: 1 };
          const rows = await reading(table.lessThan(['internalId'], `${id}_g`, range), 'lessThan');
          const row = rows[0];
          if (typeof row?.internalId !== 'string' || !row.internalId.startsWith(`${id}_`)) continue;
          try {
            found[chat] = told(shaped(row), decode);
          } catch (error) {
            if (!(error instanceof Unavailable)) throw error;
          }
          break;
        }
      }
      return { rows: found };
    },

    // The messages of `args.keys`, in no order; those that the table does not have, or does not decode, lack.
    async rows() {
      const { table, decode } = await prepared();
      const rows = await reading(table.bulkGet(args.keys), 'bulkGet');
      if (!Array.isArray(rows)) throw new Unavailable('row_shape', 'bulkGet');
      const wanted = new Set(args.keys);
      return { rows: decoded(rows.filter((row) => row && wanted.delete(shaped(row).id)), decode) };
    },
  };

  try {
    return JSON.stringify({ ok: await questions[args.question](), passed, at: performance.timeOrigin });
  } catch (error) {
    if (error instanceof Unavailable) {
      return JSON.stringify({ reason: error.reason, detail: error.detail, passed, at: performance.timeOrigin });
    }
    // The name of an error is a closed set; its text may hold data.
    return JSON.stringify({ reason: 'refused', detail: /^\w{1,40}$/.test(error?.name) ? error.name : null, passed, at: performance.timeOrigin });
  } finally {
    timers.forEach(clearTimeout);
  }
}
