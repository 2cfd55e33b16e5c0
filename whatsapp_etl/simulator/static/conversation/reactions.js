// The bubble of reactions under a message: which emoji, and how many in all, but not who.

import { h } from "../dom.js";
import { era } from "../era.js";
import { emojiImage } from "./emoji.js";

const SHOWN = 3;

/** @param {object[]} reactions rows that stand, in the order they came */
export function reactionBubble(reactions) {
  if (reactions.length === 0) return null;
  const emoji = [...new Set(reactions.map((reaction) => reaction.reactionText))].slice(0, SHOWN);
  const total = reactions.length;
  const words = total === 1 ? `reaction ${emoji[0]}` : `Reactions ${emoji.join(", ")} ${total} in total`;
  const label = era().reactionsInvite ? `${words}. View reactions` : words;
  const images = emoji.map((character) => h("div", {}, h("div", {}, emojiImage(drawn(character), "emoji _ao3e"))));
  const count = total > 1 ? h("div", {}, h("div", {}, h("div", {}, h("span", {}, String(total))))) : null;
  const button = { tabindex: "0", "aria-haspopup": "true", "aria-label": label };
  return h(
    "div",
    { "data-testid": "reaction-bubble", class: "reactions" },
    h("button", button, h("div", {}, images, count)),
  );
}

// A heart is sent bare and drawn in colour.
function drawn(character) {
  return character === "❤" ? "❤️" : character;
}
