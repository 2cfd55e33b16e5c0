// What may stand in the way: screens that take the page's place, dialogs above it, banners in the list.

import { h, plainIcon } from "./dom.js";

const TAKES_OVER = {
  conflict: {
    mode: "CONFLICT",
    text: 'WhatsApp is open on another computer or browser. Click "Use here" to use WhatsApp in this window.',
    buttons: ["Log out", "Use here"],
  },
  another_session: {
    mode: "ANOTHER_SESSION",
    text: 'WhatsApp is open in another window. Click "Use here" to use WhatsApp in this window.',
    buttons: ["Close", "Use here"],
  },
  terms: {
    mode: "TOS_BLOCK",
    text:
      "WhatsApp is updating our Terms and Privacy Policy to reflect new features and comply with the new European Union " +
      "data protection laws. Open WhatsApp on your phone to read our Terms and Privacy Policy and learn more about the " +
      "choices you have. If you have accepted the Terms and Privacy Policy, click \"Log in\" to continue using WhatsApp.",
    buttons: ["Log out"],
    isNameless: true,
  },
  deprecated: {
    mode: "DEPRECATED_VERSION",
    text:
      "The version of WhatsApp on your phone is too old. Please update to the latest version, then click " +
      '"Log in" to continue using WhatsApp.',
    buttons: ["Log out"],
  },
  proxyblock: {
    mode: "PROXYBLOCK",
    title: "Can't load WhatsApp",
    text: "Your computer is connected to a network that prevents WhatsApp from working correctly",
    buttons: ["Learn more"],
  },
  temp_ban: {
    mode: "TEMP_BAN",
    text: "Your account has been temporarily banned from WhatsApp because you may have violated the terms of our service.",
    buttons: ["Learn more"],
  },
  service_unavailable: {
    mode: "SERVICE_UNAVAILABLE",
    title: "Service unavailable",
    text: "WhatsApp is temporarily unavailable. Please try again later.",
    buttons: ["Try again"],
  },
  screen_lock: {
    mode: "SCREEN_LOCK",
    title: "App lock is on",
    text: "Enter your password to unlock WhatsApp.",
    buttons: ["Unlock"],
    field: true,
  },
};

const BANNERS = {
  update_bar: ["Refresh to update", "A new version of WhatsApp is available."],
  offline: ["Computer not connected", "Make sure your computer has an active internet connection."],
  reconnecting: ["Computer not connected", "Retrying in 5 seconds"],
  phone_offline: ["Phone not connected", "Make sure your phone has an active internet connection."],
  syncing: ["Syncing older messages…", "42%"],
  sync_paused: ["Syncing paused", "Open WhatsApp on your phone to go on."],
  notifications: ["Message notifications are off", "Turn on"],
};

// Dialogs above the app. Only the first of them merely informs.
const ABOVE = {
  feature: {
    title: "What's new on WhatsApp Web",
    text: "Find your chats faster with lists.",
    buttons: ["Continue"],
    hasCross: true,
  },
  permission: {
    title: "Load older messages?",
    text: "This device needs your permission to load older messages.",
    buttons: ["Not now", "Allow"],
  },
  delete_question: {
    title: "Delete this chat?",
    text: "Messages will only be removed from this device and your devices on the newer versions of WhatsApp.",
    buttons: ["Cancel", "OK"],
  },
  log_out_question: { title: "Log out?", text: "Are you sure you want to log out?", buttons: ["Cancel", "Log out"] },
  passkey: { title: "Confirm it's you", text: "Use your passkey to go on.", buttons: ["Continue"] },
  delete_told: { title: "Delete this chat?", text: "It will be removed from this device.", buttons: ["OK"] },
  logging_out: { title: "Logging out", text: "Do not close this window", buttons: [] },
  // Dialogs that look like news and are not: another button, something else to press, a question around them.
  feature_ok: { title: "What's new on WhatsApp Web", text: "Your computer will be unlinked.", buttons: ["OK"] },
  feature_link: {
    title: "What's new on WhatsApp Web",
    text: "Find your chats faster with lists.",
    buttons: ["Continue"],
    link: "Log out",
  },
  nested_question: {
    title: "What's new on WhatsApp Web",
    text: "Find your chats faster with lists.",
    buttons: ["Continue"],
    around: "Log out",
  },
};

// Several at once, the last one on top.
const TOGETHER = {
  two_features: ["feature", "feature"],
  feature_and_question: ["feature", "log_out_question"],
  question_and_feature: ["log_out_question", "feature"],
};

export class Dialogs {
  #app;
  #actions;
  #shell = null;
  #screen = null;
  #kind = "none";

  /**
   * @param {HTMLElement} app the element #app
   * @param {{useHere, logOut, close, pressed: (label: string) => void, modeChanged: (mode: string) => void}} actions
   *   what its buttons do, and who hears of them
   */
  constructor(app, actions) {
    this.#app = app;
    this.#actions = actions;
  }

  /** The main screen is shown: what came before it gets its place now. */
  mainShown(shell) {
    this.#shell = shell;
    this.#screen = null;
    this.show(this.#kind);
  }

  /** Show one kind, "none" to end whatever is shown. */
  show(kind) {
    this.#dismiss();
    this.#kind = kind;
    if (kind in TAKES_OVER) this.#takeOver(TAKES_OVER[kind]);
    else if (kind in BANNERS) this.#banner(BANNERS[kind]);
    else (TOGETHER[kind] ?? [kind]).filter((each) => each in ABOVE).forEach((each) => this.#above(ABOVE[each]));
  }

  #dismiss() {
    if (this.#screen) {
      this.#screen.covered.forEach((node) => {
        node.hidden = false;
        this.#app.append(node);
      });
      this.#screen.element.remove();
      this.#screen = null;
      this.#actions.modeChanged("MAIN");
    }
    this.#shell?.overlay.replaceChildren();
    this.#shell?.banners.replaceChildren();
  }

  #takeOver({ mode, title, text, buttons, field, isNameless = false }) {
    const element = h(
      "div",
      {},
      h(
        "div",
        { tabindex: -1, class: "_aiwn" },
        h("div", { id: "wa-popovers-bucket" }),
        modal({
          label: isNameless ? null : title ? `${title} ${text}` : text,
          body: [
            title && h("h1", {}, title),
            h("div", {}, text),
            field && h("input", { type: "password", "aria-label": "Password" }),
            h(
              "div",
              { class: "dialog-buttons" },
              h(
                "div",
                { role: buttons.length > 1 ? "group" : null },
                buttons.map((label) => this.#button(label)),
              ),
            ),
          ],
        }),
        h("div", {}, h("div")),
      ),
    );
    // The real page takes its screen away; it is kept aside here to come back when the dialog ends.
    const covered = [...this.#app.children];
    this.#app.replaceChildren(element);
    this.#screen = { element, covered };
    this.#actions.modeChanged(mode);
  }

  #button(label) {
    const actions = {
      "Use here": this.#actions.useHere,
      "Log out": this.#actions.logOut,
      Close: this.#actions.close,
      "Try again": () => location.reload(),
      Unlock: () => this.#dismiss(),
    };
    return h(
      "button",
      { "aria-disabled": "false", tabindex: 0, type: "button", on: { click: () => this.#press(label, actions[label]) } },
      h("div", {}, h("div", {}, h("div", {}, h("span", {}, h("span", {}, h("span", {}, label)))))),
    );
  }

  #press(label, action = () => {}) {
    this.#actions.pressed(label);
    action();
  }

  #above({ title, text, buttons, hasCross = false, link = null, around = null }) {
    const end = () => layer.remove();
    const close = h(
      "button",
      { type: "button", "aria-label": "Close", tabindex: 0, on: { click: () => this.#press("Close", end) } },
      plainIcon("ic-close"),
    );
    const chosen = buttons.map((label, position) =>
      h(
        "button",
        {
          type: "button",
          tabindex: 0,
          "data-testid": position === buttons.length - 1 ? "popup-controls-ok" : "popup-controls-cancel",
          on: { click: () => this.#press(label, label === "Log out" ? this.#actions.logOut : end) },
        },
        h("div", {}, h("div", {}, label)),
      ),
    );
    const dialog = modal({
      label: title,
      body: [
        hasCross && close,
        h("h1", {}, title),
        h("div", {}, text),
        link && h("a", { href: "#", on: { click: () => this.#press(link, this.#actions.logOut) } }, link),
        h("div", { class: "dialog-buttons" }, chosen),
      ],
    });
    dialog.classList.add("is-above");
    const layer = around ? this.#asking(dialog, around) : dialog;
    layer.addEventListener("keydown", (event) => event.key === "Escape" && this.#press("Escape", hasCross ? end : undefined));
    this.#shell?.overlay.append(layer);
    chosen.at(-1)?.focus();
  }

  // A dialog that does not cover the page, with another one in it.
  #asking(dialog, label) {
    return h("div", { role: "dialog" }, dialog, h("div", { class: "dialog-buttons" }, this.#button(label)));
  }

  #banner([title, text]) {
    this.#shell?.banners.replaceChildren(
      h(
        "div",
        { class: "banner", role: "button", tabindex: 0, "data-testid": "chat-butterbar" },
        h("div", {}, plainIcon("ic-refresh")),
        h("div", {}, h("div", { class: "banner-title" }, title), h("div", {}, text)),
      ),
    );
  }
}

function modal({ label, body }) {
  return h(
    "div",
    { tabindex: -1, class: "dialog-layer" },
    h(
      "div",
      { "data-animate-modal-backdrop": "true", class: "copyable-area" },
      h(
        "div",
        { role: "dialog", "aria-modal": "true" },
        h(
          "div",
          { "data-animate-modal-popup": "true", "aria-label": label },
          h("div", { "data-animate-modal-body": "true" }, body.filter(Boolean)),
        ),
      ),
    ),
  );
}
