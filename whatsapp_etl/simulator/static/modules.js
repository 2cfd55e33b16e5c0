// The modules of the page that other scripts ask for, out of the thousands that the client has.

import { createCollections, loadEarlierMsgs } from "./collections.js";
import { MsgKey, Wid, useSerializedKeys } from "./ids.js";
import { KeyStore } from "./key_store.js";
import { ModuleLoader } from "./loader.js";
import { messageFromDbRow } from "./serialization.js";
import { createStorage } from "./storage.js";
import { renamed } from "./store.js";
import { Touches } from "./touches.js";

// Modes of the stream that are states of the socket, too.
const STATES = {
  STARTUP: "OPENING",
  QR: "UNPAIRED",
  CONFLICT: "CONFLICT",
  PROXYBLOCK: "PROXYBLOCK",
  TOS_BLOCK: "TOS_BLOCK",
  DEPRECATED_VERSION: "DEPRECATED_VERSION",
  SCREEN_LOCK: "SCREEN_LOCKED",
};

/**
 * Install `require` and `importNamespace` on the window. The modules come with `start`.
 *
 * @param {{mode: () => string, available: () => boolean, store: () => object|null, me: () => object|null,
 *   config: () => object, tell: (frame: object) => void, seen: (chatId: string) => Promise<void>}} page
 */
export function installModules(page) {
  const loader = new ModuleLoader((error) => page.tell({ op: "client_error", ...error }));
  const keys = new KeyStore();
  loader.install();
  return {
    /** Register the modules, as the page's first configuration has them. */
    start() {
      const config = page.config();
      useSerializedKeys(config.serialized_keys);
      if (config.record_touches) {
        const touches = new Touches((paths) => page.tell({ op: "touched", paths }));
        loader.watch((value, path) => touches.watch(value, path));
      }
      loader.register(modulesOf(page, keys), {
        missing: config.missing_modules,
        unresolved: config.unresolved_modules,
        renamed: config.renamed_members,
        milliseconds: config.delays.modules_ms,
      });
    },
    /** The key of the bodies has come. */
    async keyCame(cipher) {
      const config = page.config();
      if (config.key_never_comes) return;
      await new Promise((resolve) => {
        setTimeout(resolve, config.delays.key_ms);
      });
      keys.take(cipher);
    },
  };
}

function modulesOf(page, keys) {
  const { Chat, Contact, GroupMetadata, Msg } = createCollections(page);
  const storage = createStorage(page, keys);
  const table = (name) => () => storage.table(name);
  const called = (name) => page.tell({ op: "called", name });
  return {
    WAWebStreamModel: () => ({ Stream: streamOf(page) }),
    WAWebSocketModel: () => ({ Socket: socketOf(page) }),
    WAWebWid: () => ({ default: Wid }),
    WAWebWidFactory: () => ({ createWid: (text) => new Wid(String(text)) }),
    WAWebMsgKey: () => ({ default: MsgKey }),
    WAWebUserPrefsMeUser: () => ({
      getMaybeMePnUser: () => page.me() && new Wid(page.me().id),
      getMaybeMeLidUser: () => page.me() && new Wid(page.me().lid),
    }),
    WAWebModelStorageUtils: () => ({ getStorage: () => storage }),
    WAWebSchemaMessage: () => ({ getMessageTable: table("message") }),
    WAWebSchemaChat: () => ({ getChatTable: table("chat") }),
    WAWebSchemaContact_DO_NOT_USE_DIRECTLY: () => ({ getContactTable: table("contact") }),
    WAWebSchemaGroupMetadata: () => ({ getGroupMetadataTable: table("group-metadata") }),
    WAWebSchemaParticipant: () => ({ getParticipantTable: table("participant") }),
    WAWebSchemaReactions: () => ({ getReactionsTable: table("reactions") }),
    WAWebDbEncryptionKey: () => ({ DB_ENCRYPTION_CIPHER: "AES-CBC", DbEncKeyStore: keys }),
    WAWebDBMessageSerialization: () => ({ messageFromDbRow: (row) => decoded(row, page) }),
    WAWebApiContact: () => ({
      getPhoneNumber: (wid) => phoneOf(wid, page),
      getCurrentLid: (wid) => lidOf(wid, page),
    }),
    WAWebLidMigrationUtils: () => ({
      toPn: (wid) => (wid.isLid() ? phoneOf(wid, page) : wid),
      toLid: (wid) => (wid.isLid() ? wid : lidOf(wid, page)),
    }),
    WAWebCollections: () => ({ Chat, Contact, GroupMetadata, Msg }),
    WAWebChatCollection: () => ({ ChatCollection: Chat }),
    WAWebContactCollection: () => ({ ContactCollection: Contact }),
    WAWebMsgCollection: () => ({ MsgCollection: Msg }),
    WAWebChatLoadMessages: () => ({ loadEarlierMsgs: (given) => loadEarlierMsgs(page.store(), given.chat ?? given) }),
    // What a reader has no business with: it tells the server, changes something, or never ends.
    WAWebUpdateUnreadChatAction: () => ({
      sendSeen: (given) => {
        called("sendSeen");
        return page.seen(String((given.chat ?? given).id));
      },
      markUnread: async () => called("markUnread"),
    }),
    WAWebDBMessageFindLocal: () => ({
      msgFindByDirection: () => {
        called("msgFindByDirection");
        return new Promise(() => {});
      },
    }),
  };
}

function streamOf({ mode, available }) {
  return {
    get mode() {
      return mode();
    },
    get available() {
      return available();
    },
  };
}

function socketOf({ mode }) {
  return {
    get state() {
      return STATES[mode()] ?? "CONNECTED";
    },
    get stream() {
      return mode() === "MAIN" ? "CONNECTED" : "SYNCING";
    },
    get hasSynced() {
      return mode() === "MAIN";
    },
  };
}

function phoneOf(wid, { store, me }) {
  if (String(wid) === me()?.lid) return new Wid(me().id);
  const phone = store()?.contact(String(wid))?.phoneNumber;
  return phone ? new Wid(phone._serialized ?? phone) : undefined;
}

function lidOf(wid, { store, me }) {
  if (String(wid) === me()?.id) return new Wid(me().lid);
  const holder = store()
    ?.contacts()
    .find(({ phoneNumber }) => (phoneNumber?._serialized ?? phoneNumber) === String(wid));
  return holder && new Wid(holder.id);
}

/** The message of a row; what columns are called now, the message's fields are called as well. */
function decoded(row, { store, config }) {
  const isAsUsual = Object.keys(config().renamed_columns).length === 0 && Object.keys(store().columns).length === 0;
  if (isAsUsual && !config().table_bodiless) return messageFromDbRow(row);
  const columns = { ...store().columns, ...config().renamed_columns };
  const { msgRowOpaqueData, ...known } = renamed(row, columns, { back: true });
  const sealed = config().table_bodiless ? undefined : msgRowOpaqueData;
  return renamed(messageFromDbRow({ ...known, msgRowOpaqueData: sealed }), columns);
}
