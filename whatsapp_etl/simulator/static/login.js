// The screen before a device is linked: the QR code that rotates and runs out, and linking with a phone number.

import { h, icon, svg } from "./dom.js";
import { era } from "./era.js";
import { showPhoneLink } from "./phone_link.js";
import { drawQr } from "./qr.js";

const STEPS = [
  ["Scan the QR code with your phone's camera"],
  ["Tap the link to open ", ["strong", "WhatsApp ", "wa-square-icon"]],
  ["Scan the QR code again to link to your account"],
];

export class LoginScreen {
  #root;
  #box;
  #reload;
  #timer = null;
  #codeBox;
  #tell;
  #lifeScale;
  #isCodeGood = false;
  #isOnPhone = false;

  /**
   * @param {HTMLElement} root
   * @param {{onReload: () => void, notice: string|null, tell: (shown: object) => void, lifeScale: () => number}} options
   *   `notice` says why the last login ended, `tell` takes what can be scanned or typed
   */
  constructor(root, { onReload, tell, lifeScale, notice = null }) {
    this.#tell = tell;
    this.#lifeScale = lifeScale;
    this.#root = root;
    this.#reload = onReload;
    this.#show(notice);
  }

  /** Show the spinner that stands for the code while it is fetched. */
  fetching() {
    clearTimeout(this.#timer);
    const spinner = h("div", {}, h("span", { "data-visualcompletion": "loading-state", class: "spinner" }, svg("")));
    this.#replaceBox(h("div", { class: "_akau" }, spinner));
  }

  /**
   * Show a batch of codes, one after the other; the last one runs out.
   *
   * @param {{refs: string[], ttls_ms: number[]}} batch
   * @param {number} scale factor on the lifetimes
   */
  rotate({ refs, ttls_ms: lifetimes }, scale) {
    clearTimeout(this.#timer);
    const canvas = h("canvas", {
      width: 228,
      height: 228,
      role: "img",
      "aria-label": era().qrLabel,
    });
    const overlay = h("span", {});
    const logo = h("div", { class: "_akaz" }, h("span", {}, svg("WhatsApp logo")));
    const box = h("div", { class: "_akau", "data-testid": "link-device-qr-code" }, overlay, logo, canvas);
    this.#replaceBox(box);
    this.#showsCode(true);
    const show = (position) => {
      if (position === refs.length) return this.#runOut(box, overlay);
      box.setAttribute("data-ref", refs[position]);
      drawQr(canvas, refs[position]);
      this.#timer = setTimeout(() => show(position + 1), lifetimes[position] * scale);
      return undefined;
    };
    show(0);
  }

  /** Stop the rotation: the screen is about to be replaced. */
  close() {
    clearTimeout(this.#timer);
  }

  #showsCode(isGood) {
    this.#isCodeGood = isGood;
    if (!this.#isOnPhone) this.#tell({ qr: isGood, link_code: null });
  }

  #runOut(box, overlay) {
    this.#showsCode(false);
    box.classList.add("_akay");
    const button = h(
      "button",
      {
        tabindex: 0,
        "aria-disabled": "false",
        type: "button",
        "data-testid": "link_device_qr_expired_refresh_button",
        on: {
          click: () => {
            this.fetching();
            this.#reload();
          },
        },
      },
      h("div", {}, h("div", {}, refreshIcon()), h("div", {}, "Click to reload QR code")),
    );
    overlay.replaceChildren(button);
  }

  #replaceBox(box) {
    this.#box?.replaceWith(box);
    this.#box = box;
  }

  #show(notice) {
    this.#codeBox = h("div", { class: "login-code" }, h("div", {}));
    this.#box = this.#codeBox.firstChild;
    this.#root.replaceChildren(landing(notice, this.#codeBox, () => this.#linkWithPhone()));
    this.fetching();
  }

  #linkWithPhone() {
    const screen = this.#root.firstChild;
    this.#isOnPhone = true;
    this.#tell({ qr: false, link_code: null });
    showPhoneLink(this.#root, {
      onBack: () => {
        this.#root.replaceChildren(screen);
        this.#isOnPhone = false;
        this.#showsCode(this.#isCodeGood);
      },
      onCode: (code) => this.#tell({ qr: false, link_code: code }),
      lifeScale: this.#lifeScale,
    });
  }
}

// Its name as a test id is gone since summer 2026.
const refreshIcon = () =>
  era().isOldNesting
    ? icon("refresh-large", { title: "refresh-l-light" })
    : h("span", { "aria-hidden": "true", "data-icon": "refresh-large" }, svg("refresh-l-light"));

function landing(notice, codeBox, onPhone) {
  const steps = h("ol", { id: "link-device-instructions-list" }, STEPS.map(stepItem), h("div", {}));
  const left = h(
    "div",
    { class: "login-steps" },
    h(
      "div",
      {},
      h("div", { class: "login-title" }, era().loginTitle),
      linkButton("Link with phone number instead.", onPhone),
    ),
    h(
      "div",
      {},
      steps,
      h(
        "div",
        {},
        linkButton("Need help?", () => {}, "wa-brand-arrow-out"),
      ),
    ),
  );
  const byPhone = linkButton(
    "Log in with phone number",
    onPhone,
    "wa-brand-arrow-right",
    "link_device_qr_phone_number_link",
  );
  return page(
    notice && h("div", { class: "login-notice", role: "status" }, notice),
    h("div", {}, card(left, codeBox, byPhone)),
    footer(),
  );
}

function card(left, codeBox, byPhone) {
  return h(
    "div",
    { class: "login-card" },
    h("div"),
    h(
      "div",
      {},
      h("div", { class: "login-columns" }, left, h("div", {}, codeBox)),
      h("div", { class: "login-phone" }, stayLoggedIn(), h("div", {}, byPhone)),
    ),
  );
}

function page(...content) {
  return h(
    "div",
    {},
    h(
      "div",
      { tabindex: -1, class: "_aiwn login-page" },
      h("div", { id: "wa-popovers-bucket" }),
      h("span"),
      h("span"),
      h(
        "div",
        {},
        h(
          "div",
          { class: "login-brand" },
          h(
            "div",
            {},
            h("div", {}, icon("wa-logo")),
            h("div", { class: "login-wordmark" }, icon("wa-wordmark")),
            h("div"),
          ),
        ),
        h("div", {}, content),
        h("div"),
      ),
      h("div", {}, h("div")),
    ),
  );
}

function stepItem(parts, position) {
  const text = parts.map((part) => {
    if (typeof part === "string") return part;
    const [tag, words, image] = part;
    return h(tag, {}, words, h("div", { class: "inline" }, icon(image)));
  });
  return h("li", {}, h("div", {}, h("div", { class: "step-number" }, position + 1)), h("div", {}, text));
}

function linkButton(text, onClick, image = null, testid = null) {
  const content = image ? h("div", {}, h("div", {}, text), h("div", {}, icon(image))) : h("div", {}, text);
  return h(
    "div",
    { role: "button", tabindex: 0, class: "link-button", "data-testid": testid, on: { click: onClick } },
    content,
  );
}

function stayLoggedIn() {
  const box = h("input", { type: "checkbox", id: "stay-logged-in", checked: true });
  return h("div", { class: "stay" }, h("label", {}, box, "Stay logged in on this browser"));
}

function footer() {
  return h(
    "div",
    { class: "login-footer" },
    h(
      "div",
      {},
      h(
        "div",
        {},
        h("div", {}, "Don't have a WhatsApp account?"),
        h(
          "div",
          {},
          linkButton("Get started", () => {}, "wa-brand-arrow-out"),
        ),
      ),
      h(
        "div",
        { class: "encrypted" },
        h("div", {}, icon("lock-outline")),
        h("div", {}, "Your personal messages are end-to-end encrypted"),
      ),
      h("div", { role: "button", tabindex: 0 }, "Terms & Privacy Policy"),
    ),
  );
}
