// What stands around a message in the releases since summer 2026: the side, the tail, the label, the reactions.

import { h, icon } from "../dom.js";
import { besideButton, runLabel } from "./parts.js";
import { reactionBubble } from "./reactions.js";
import { isEncryptionNotice } from "./rows/index.js";

export const frame = {
  /** A line of the system: in the middle, without sender, tail or time. */
  notice(entry, content) {
    const bubble = h("div", { class: "notice" }, content, h("span"), h("div"));
    const container = h("div", { "data-testid": "msg-notification-container" }, bubble, h("div"));
    const role = isEncryptionNotice(entry) ? "button" : null;
    return h("div", { class: "focusable-list-item x6s0dn4", role }, h("span"), container);
  },

  /** A message; `drawn` is what its kind draws. */
  bubble(entry, drawn, tools) {
    const { content, bare = false, tailless = false } = drawn;
    const tail = entry.first && !tailless ? icon(entry.own ? "tail-out" : "tail-in") : null;
    const side = entry.own ? "x1g5lz36" : "x1ew7x2d";
    const label = runLabel(entry, tools);
    const bubble = h("div", { class: bare ? "bare" : `bubble ${side}` }, label, content, h("span"), h("div"));
    const beside = besideButton(drawn);
    const quick = h("div", { class: "quick" }, beside, h("div", {}, h("div")));
    const role = entry.children ? "group" : null;
    const container = h("div", { "data-testid": "msg-container", class: "container", role }, tail, bubble, quick);
    const align = entry.own ? "xuk3077" : "x1cy8zhl";
    const reactions = reactionBubble(entry.reactions) ?? h("div");
    return h("div", { class: `focusable-list-item ${align}` }, h("span"), container, reactions);
  },
};
