// What stands over the oldest row: a spinner while older ones are fetched, and at the end what the phone may have.

import { h } from "../dom.js";
import { spinner } from "./parts.js";
import { pause } from "./pause.js";

const LOADING = "Loading messages…";
const ASK_PHONE = "Click here to get older messages from your phone.";
const FAILED = "Couldn't get older messages. Open WhatsApp on your phone and click here to try again.";
const PHONE_HAS_MORE = 0; // complete here, more on the phone
const CUT = 2; // incomplete, and this device cannot ask
const HISTORY_DAYS = 90; // what a phone hands over when a device is linked

export class TopBlock {
  #ctx;
  #chatId;
  #node = null;
  #place;
  #onMore;
  #phoneAnswer = null;
  #ends;

  /**
   * @param {object} ctx
   * @param {string} chatId
   * @param {(node: Node) => void} place puts the block over the list
   * @param {() => Promise<void>} onMore called when the phone has sent older messages
   */
  constructor(ctx, chatId, place, onMore) {
    this.#ctx = ctx;
    this.#chatId = chatId;
    this.#place = place;
    this.#onMore = onMore;
    this.#ends = ctx.socket.on("phone_history", (frame) => this.#answered(frame));
  }

  stop() {
    this.#ends?.();
  }

  /** Whether the phone has messages of this chat that this device has not. */
  get hasMoreElsewhere() {
    return [PHONE_HAS_MORE, CUT].includes(this.#ctx.store.chat(this.#chatId)?.endOfHistoryTransferType);
  }

  loading() {
    this.#show(h("div", { title: LOADING }, spinner()));
  }

  /** Show what stands there when nothing is being loaded. */
  settle(isComplete) {
    if (!isComplete) return this.#show(null);
    const { endOfHistoryTransferType: type } = this.#ctx.store.chat(this.#chatId) ?? {};
    // Not every account may ask the phone: the others only read that there is more.
    const mayAsk = type === PHONE_HAS_MORE && this.#ctx.config().phone_button;
    if (mayAsk && this.#phoneAnswer === "failed") return this.#show(this.#button(FAILED));
    if (mayAsk && this.#phoneAnswer !== "use_phone") return this.#show(this.#button(this.#ctx.format.word(ASK_PHONE)));
    if (type === PHONE_HAS_MORE || type === CUT)
      return this.#show(h("div", { class: "end-of-history" }, this.#usePhone()));
    return this.#show(null);
  }

  #usePhone() {
    const seconds = this.#ctx.clock.now().getTime() / 1000 - HISTORY_DAYS * 86_400;
    return `Use WhatsApp on your phone to see older messages from before ${this.#ctx.format.date(seconds)}.`;
  }

  #button(words) {
    const ask = () => {
      this.loading();
      this.#ctx.socket.send({ op: "phone_history", chat: this.#chatId });
    };
    return h("button", { type: "button", class: "phone-history", on: { click: ask } }, words);
  }

  async #answered({ chat, result }) {
    if (chat !== this.#chatId) return;
    await pause(this.#ctx.config().delays.phone_ms);
    this.#phoneAnswer = result;
    if (result === "ok") await this.#onMore();
    else this.settle(true);
  }

  #show(content) {
    this.#node?.remove();
    this.#node = content && h("div", { class: "top-block" }, h("div", {}, h("div", {}, content)));
    if (this.#node) this.#place(this.#node);
  }
}
