// The page's start and its states: splash, QR code, loading, chats, logged out.

import { claimProfile, clearLogin, storeLogin, storedToken } from "./account.js";
import { ChatList } from "./chatlist.js";
import { createClock } from "./clock.js";
import { createConversation } from "./conversation/index.js";
import { StorageUnavailableError } from "./database.js";
import { Dialogs } from "./dialogs.js";
import { useEra } from "./era.js";
import { createFiber } from "./fiber.js";
import { createFormat, languageOf } from "./format.js";
import { LoadingScreen } from "./loading.js";
import { LoginScreen } from "./login.js";
import { installModules } from "./modules.js";
import { mutate } from "./mutations.js";
import { Receipts } from "./receipts.js";
import { Shell } from "./shell.js";
import { Socket } from "./socket.js";
import { Store } from "./store.js";

const STORAGE_FAILED = 9; // reason of a logout that the client decides itself
const LOGGED_OUT = "You have been logged out. Scan the QR code to log in again.";
const LOGIN_KEY = "linked-device";
const HISTORY_RETRY_MS = 500;

const app = document.getElementById("app");
let config = null;
let me = null;
let mode = "STARTUP";
let login = null;
let store = null;
let token = null;
let chats = null;
let conversation = null;
let receipts = null;
let modules = null;

const socket = new Socket(() => ({
  op: "hello",
  token: storedToken(),
  has_focus: document.hasFocus(),
  visible: document.visibilityState === "visible",
  tells_drawn: true,
}));
const dialogs = new Dialogs(app, {
  useHere: () => location.reload(),
  logOut: () => leave(0),
  close: () => {},
  pressed: (label) => socket.send({ op: "pressed", label }),
  modeChanged: enter,
});

start();

function start() {
  modules = installModules({
    mode: () => mode,
    available: () => receipts?.available ?? document.hasFocus(),
    store: () => store,
    me: () => me,
    config: () => config,
    tell: (frame) => socket.send(frame),
    seen: (chatId) => receipts.asked(chatId),
  });
  claimProfile(() => {
    socket.close();
    dialogs.show("another_session");
  });
  socket.on("config", (frame) => configure(frame.config));
  socket.on("qr", (batch) => askForLogin(batch));
  socket.on("linked", (frame) => linked(frame));
  socket.on("logout", ({ reason }) => leave(reason));
  socket.on("dialog", ({ kind }) => {
    dialogs.show(kind);
    socket.send({ op: "drawn" });
  });
  socket.on("changed", () => chats && pull());
  socket.on("down", () => mode === "MAIN" && dialogs.show("offline"));
  socket.connect();
}

function configure(fresh) {
  const isFirst = config === null;
  if (isFirst) useEra(fresh.profile);
  config = fresh;
  if (isFirst) modules.start();
  mutate(fresh.mutations);
  Object.assign(document.documentElement, languageOf(fresh));
  window.Debug = { VERSION: fresh.version };
  showVisibility(fresh.tab_hidden);
  if (chats && fresh.idb_locked) lockMessages();
  if (!isFirst) chats?.refresh();
}

let isLocking = false;

async function lockMessages() {
  if (isLocking) return;
  isLocking = true;
  await store.lock(() => config.idb_locked);
  isLocking = false;
}

/** Let every script see a hidden window, or the browser's own answer again. */
function showVisibility(isHidden) {
  if (isHidden === Object.hasOwn(document, "visibilityState")) return;
  if (isHidden) Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
  else delete document.visibilityState;
  document.dispatchEvent(new Event("visibilitychange"));
}

function enter(next) {
  if (mode === next) return;
  mode = next;
  socket.send({ op: "state", mode: next });
}

/** Take the splash away once the page has something of its own to show. */
async function endSplash() {
  const splash = document.getElementById("wa_web_initial_startup");
  if (!splash) return;
  if (config.delays.boot_ms > 0) await after(config.delays.boot_ms);
  splash.remove();
}

async function askForLogin(batch) {
  if (storedToken() !== null) return leave(0); // The phone unlinked this device while it was away.
  await endSplash();
  if (!login) {
    const wasLoggedOut = new URLSearchParams(location.search).has("post_logout");
    login = new LoginScreen(app, {
      onReload: () => socket.send({ op: "qr_reload" }),
      tell: (shown) => socket.send({ op: "login_shown", ...shown }),
      lifeScale: () => config.delays.link_code_ttl_scale,
      notice: wasLoggedOut ? LOGGED_OUT : null,
    });
    enter("QR");
  }
  login.rotate(batch, config.delays.qr_ttl_scale);
  return undefined;
}

async function linked({ token: given, me: account, body_key: bodyKey }) {
  if (chats && given === token) {
    dialogs.show("none");
    await pull();
    return;
  }
  if (chats) {
    location.reload(); // Another server answers now: nothing that is shown is true any more.
    return;
  }
  if (mode === "SYNCING") return;
  token = given;
  login?.close();
  login = null;
  me = account;
  await endSplash();
  enter("SYNCING");
  await load(bodyKey);
}

/** Fetch what changed. A failure needs nothing: the socket is down as well, and its return pulls again. */
async function pull() {
  try {
    await store.pull();
  } catch (error) {
    console.warn("could not pull", error.message);
  }
}

async function load(bodyKey) {
  const known = await openStore();
  if (!known) return;
  storeLogin({ token, me });
  await store.logIn({ bodyKey, token, me });
  modules.keyCame(store.cipher);
  await store.setPreference(LOGIN_KEY, { token, world: config.world, renamed: config.idb_renamed_fields });
  const loading = new LoadingScreen(app, { isFirst: known === "new", onLogOut: () => leave(0) });
  loading.show(0);
  if (config.loading_hangs) return;
  const steps = config.delays.loading_ms > 0 ? 20 : 0;
  for (let step = 1; step <= steps; step += 1) {
    await after(config.delays.loading_ms / steps);
    loading.show((step / steps) * 50);
  }
  await pullHistory((done, total) => loading.show(total > 0 ? 50 + (50 * done) / total : 100));
  await showChats();
}

/** Fetch the history. Nothing is shown before it is there, so a request that fails is made again. */
async function pullHistory(progress) {
  try {
    await store.pull(progress);
  } catch (error) {
    console.warn("could not pull the history", error.message);
    await after(HISTORY_RETRY_MS);
    await pullHistory(progress);
  }
}

/** Open the storage; what another login left in it is thrown away. Returns "new", "known" or null when it fails. */
async function openStore() {
  try {
    store = await Store.open(config);
    const last = await store.preference(LOGIN_KEY);
    const isSameShape = Boolean(last?.renamed) === config.idb_renamed_fields;
    const isKnown = last?.token === token && last.world === config.world && isSameShape;
    if (!isKnown) {
      await store.wipe();
      store = await Store.open(config);
    }
    store.on("pulled", (sequence) => socket.send({ op: "stored", sequence }));
    return isKnown ? "known" : "new";
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    leave(STORAGE_FAILED);
    return null;
  }
}

async function showChats() {
  const clock = createClock(() => config);
  const format = createFormat(() => config, clock);
  receipts = new Receipts({ store, socket });
  const ctx = { store, socket, receipts, clock, format, fiber: createFiber(() => config), config: () => config, me };
  const shell = new Shell(app);
  conversation = createConversation(ctx, shell.conversation);
  chats = new ChatList(ctx, shell, { onOpen: (chatId) => open(ctx, shell, chatId) });
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeChat(shell, event));
  store.on("change", ({ store: name, op, key }) => {
    if (name === "chat" && op === "delete" && key === conversation.chatId) leaveChat(shell);
  });
  await chats.start();
  enter("MAIN");
  if (config.idb_locked) lockMessages();
  dialogs.mainShown(shell);
  receipts.mainMounted();
}

function open({ store: account }, shell, chatId) {
  if (!account.chat(chatId) || conversation.chatId === chatId) return;
  shell.showIntro(false);
  chats.select(chatId);
  conversation.open(chatId);
  socket.send({ op: "opened", chat: chatId });
}

function closeChat(shell, event) {
  if (!conversation.chatId || event.target.closest?.("#side, [role=dialog]")) return;
  leaveChat(shell);
}

function leaveChat(shell) {
  receipts.chatClosed(conversation.chatId);
  conversation.close();
  chats.select(null);
  shell.showIntro(true);
}

/** End the login: wipe what this browser knows and show a new QR code. */
async function leave(reason) {
  socket.close();
  enter("LOGOUT");
  clearLogin();
  await store?.wipe();
  location.replace(`/?post_logout=1&logout_reason=${reason}`);
}

function after(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
