// Read receipts and presence, as the real client sends them (DOM reference, 5.7).
//
// A stream is "available" or not. It starts as `document.hasFocus()` and becomes available at three places only,
// each behind `document.hasFocus()`: the main screen's mount, activity, and the window's focus in an open chat.
// Opening a chat asks for its messages to be marked seen; while the stream is not available that request waits
// for it. Later requests (a new message in the open chat, the bottom reached) ask `document.hasFocus()` directly.

import { Events } from "./events.js";

const FOCUS_SETTLES_MS = 500;
const BLUR_ENDS_MS = 15_000;
const INACTIVITY_ENDS_MS = 30_000;
const ACTIVITY = ["mousedown", "mousemove", "keydown", "wheel", "touchstart"];

export class Receipts {
  #store;
  #socket;
  #events = new Events();
  #available;
  #mounted = false;
  #openChat = null;
  #parked = new Set();
  #blurTimer = null;
  #idleTimer = null;

  constructor({ store, socket }) {
    this.#store = store;
    this.#socket = socket;
    this.#available = document.hasFocus();
  }

  /** Whether the account is shown as online and receipts may be sent. */
  get available() {
    return this.#available;
  }

  /** Call `listener(available)` at each change. */
  onAvailability(listener) {
    return this.#events.on("availability", listener);
  }

  /** The main screen is shown: the first gate, and the first presence that the server hears of. */
  mainMounted() {
    if (this.#mounted) return;
    this.#mounted = true;
    for (const name of ACTIVITY) window.addEventListener(name, () => this.#active(), { capture: true, passive: true });
    window.addEventListener("focus", () => this.#focused());
    window.addEventListener("blur", () => this.#blurred());
    const inFront = document.hasFocus() && document.visibilityState !== "hidden";
    if (inFront) this.#available = true;
    this.#sendPresence();
    if (this.#available) this.#availableNow();
  }

  /** A chat was opened: mark it seen now, or once the stream is available. */
  chatOpened(chatId) {
    this.#openChat = chatId;
    if (this.#available) return this.#sendSeen(chatId);
    this.#parked.add(chatId);
    return Promise.resolve();
  }

  /** The open chat was closed. */
  chatClosed(chatId) {
    if (this.#openChat === chatId) this.#openChat = null;
  }

  /** The newest message of the open chat came into view. */
  async reachedBottom(chatId) {
    if (document.hasFocus()) await this.#sendSeen(chatId);
  }

  /** A message arrived in the open chat while its bottom is in view. */
  async messageArrived(chatId) {
    if (document.hasFocus()) await this.#sendSeen(chatId);
  }

  /** A script asks for a chat to be marked seen: nothing holds that back. */
  asked(chatId) {
    return this.#sendSeen(chatId);
  }

  /** A voice note was played. */
  async played(messageId) {
    const message = await this.#store.message(messageId);
    if (!message || messageId.startsWith("true_")) return;
    this.#socket.send({ op: "receipt", chat: message.from, kind: "played", ids: [messageId] });
  }

  #setAvailable(available) {
    if (this.#available === available) return;
    this.#available = available;
    this.#sendPresence();
    this.#events.emit("availability", available);
    if (available) this.#availableNow();
  }

  #availableNow() {
    this.#restartIdleTimer();
    const waiting = [...this.#parked];
    this.#parked.clear();
    for (const chatId of waiting) this.#sendSeen(chatId);
  }

  #sendPresence() {
    this.#socket.send({ op: "presence", state: this.#available ? "available" : "unavailable" });
  }

  #active() {
    if (!document.hasFocus()) return;
    this.#setAvailable(true);
    this.#restartIdleTimer();
  }

  #focused() {
    clearTimeout(this.#blurTimer);
    setTimeout(() => {
      if (this.#openChat && document.hasFocus()) this.#setAvailable(true);
    }, FOCUS_SETTLES_MS);
  }

  #blurred() {
    clearTimeout(this.#blurTimer);
    this.#blurTimer = setTimeout(() => this.#setAvailable(false), BLUR_ENDS_MS);
  }

  #restartIdleTimer() {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#setAvailable(false), INACTIVITY_ENDS_MS);
  }

  async #sendSeen(chatId) {
    const chat = this.#store.chat(chatId);
    if (!chat || !chat.unreadCount) return;
    const ids = await this.#store.unreadIds(chatId);
    this.#socket.send({ op: "receipt", chat: chatId, kind: "read", ids });
    await this.#store.write("chat", { ...this.#store.chat(chatId), unreadCount: 0 });
  }
}
