// The conversation: at most one chat is open, and #main is made anew for each.

import { Pane } from "./pane.js";
import { pause } from "./pause.js";

/**
 * @param {object} ctx the page's parts: store, config, me, receipts, clock, format, fiber, socket
 * @param {Element} container where #main goes
 */
export function createConversation(ctx, container) {
  let pane = null;
  let turn = 0;

  const close = () => {
    turn += 1;
    pane?.stop();
    pane = null;
  };

  return {
    get chatId() {
      return pane?.chatId ?? null;
    },
    /** Show a chat; resolves once its rows stand, or another chat was asked for. */
    async open(chatId) {
      turn += 1;
      const own = turn;
      await pause(ctx.config().delays.open_chat_ms);
      if (own !== turn) return;
      pane?.stop();
      pane = new Pane(ctx, chatId);
      container.append(pane.node);
      await pane.start();
    },
    close,
  };
}
