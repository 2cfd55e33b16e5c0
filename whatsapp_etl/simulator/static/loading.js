// The screen between the login and the chats, while the history is written to this browser.

import { h, plainIcon, svg } from "./dom.js";

export class LoadingScreen {
  #progress = h("progress", { value: 0, max: 100, class: "_ak0k", dir: "ltr" });
  #title = h("div", { class: "loading-title" }, "WhatsApp");

  /**
   * @param {HTMLElement} root
   * @param {{isFirst: boolean, onLogOut: () => void}} options
   */
  constructor(root, { isFirst, onLogOut }) {
    const hint =
      isFirst && h("div", { class: "loading-hint" }, "Don't close this window. Your messages are downloading.");
    root.replaceChildren(
      h(
        "div",
        {},
        h(
          "div",
          { tabindex: -1, class: "_aiwn" },
          h("div", { id: "wa-popovers-bucket" }),
          h(
            "div",
            { "data-testid": "wa-web-loading-screen", class: "loading" },
            h("div", { class: "loading-logo" }, h("span", {}, svg("chat"))),
            this.#title,
            h("div", {}, this.#progress),
            h("div", { class: "encrypted" }, plainIcon("ic-lock"), " End-to-end encrypted"),
            hint || null,
            h("button", { type: "button", class: "loading-log-out", on: { click: onLogOut } }, "Log out"),
          ),
          h("div", {}, h("div")),
        ),
      ),
    );
  }

  /** @param {number} percent 0 to 100 */
  show(percent) {
    const whole = Math.min(100, Math.max(0, Math.round(percent)));
    this.#progress.setAttribute("value", String(whole));
    this.#title.textContent = `Loading your chats [${whole}%]`;
  }
}
