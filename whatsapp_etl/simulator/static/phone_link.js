// Linking with a phone number: country and number, then the code that is typed on the phone.

import { h, icon } from "./dom.js";

const COUNTRIES = [
  ["Argentina", "54"],
  ["Australia", "61"],
  ["Austria", "43"],
  ["Brazil", "55"],
  ["Canada", "1"],
  ["Denmark", "45"],
  ["Egypt", "20"],
  ["Finland", "358"],
  ["France", "33"],
  ["Germany", "49"],
  ["India", "91"],
  ["Indonesia", "62"],
  ["Ireland", "353"],
  ["Israel", "972"],
  ["Italy", "39"],
  ["Japan", "81"],
  ["Mexico", "52"],
  ["Netherlands", "31"],
  ["Poland", "48"],
  ["Portugal", "351"],
  ["Singapore", "65"],
  ["Spain", "34"],
  ["Sweden", "46"],
  ["Turkey", "90"],
  ["United Kingdom", "44"],
  ["United States", "1"],
];
const CODE_LETTERS = "123456789ABCDEFGHJKLMNPQRSTVWXYZ";
const CODE_LIVES_MS = 180_000;
const RENEWALS = 5;

/**
 * @param {HTMLElement} root
 * @param {{onBack: () => void, onCode: (code: string|null) => void, lifeScale: () => number}} options `onCode` is told each
 *   code, and null when it has expired
 */
export function showPhoneLink(root, options) {
  const { onBack } = options;
  const chosen = h("span", { class: "country-name" }, "United States");
  const input = h("input", {
    type: "text",
    inputmode: "tel",
    value: "+1 ",
    "data-testid": "phone-number-input",
    "aria-label": "Type your phone number to log in to WhatsApp",
  });
  const choose = ([name, code]) => {
    chosen.textContent = name;
    input.value = `+${code} `;
    input.focus();
  };
  const form = h(
    "form",
    {
      on: {
        submit: (event) => {
          event.preventDefault();
          next();
        },
      },
    },
    input,
  );
  const next = () => {
    const digits = input.value.replace(/\D/g, "");
    if (digits.length >= 8) showCode(root, digits, options);
  };
  root.replaceChildren(
    screen(
      "Enter phone number",
      "Select a country and enter your phone number.",
      onBack,
      countryPicker(chosen, choose),
      form,
      h("button", { type: "button", class: "primary", on: { click: next } }, "Next"),
    ),
  );
}

function screen(title, hint, onBack, ...content) {
  return h(
    "div",
    {},
    h(
      "div",
      { tabindex: -1, class: "_aiwn login-page" },
      h("div", { id: "wa-popovers-bucket" }),
      h(
        "div",
        { class: "login-card phone-card" },
        h("div", { class: "login-title" }, title),
        h("div", { class: "hint" }, hint),
        content,
        h("div", { role: "button", tabindex: 0, class: "link-button", on: { click: onBack } }, "Log in with QR code"),
      ),
    ),
  );
}

function countryPicker(chosen, choose) {
  const list = h("div", { role: "list", class: "countries" });
  const search = h("div", {
    contenteditable: "true",
    role: "textbox",
    class: "country-search",
    "aria-label": "Search country",
  });
  const panel = h("div", { class: "country-panel", hidden: true }, search, list);
  const show = () => {
    const wanted = search.textContent.trim().toLowerCase();
    const found = COUNTRIES.filter(([name]) => name.toLowerCase().includes(wanted));
    list.replaceChildren(
      ...found.map((country) =>
        h(
          "div",
          { role: "listitem" },
          h(
            "button",
            {
              type: "button",
              on: {
                click: () => {
                  panel.hidden = true;
                  choose(country);
                },
              },
            },
            country[0],
          ),
        ),
      ),
    );
  };
  search.addEventListener("input", show);
  const open = () => {
    panel.hidden = false;
    search.textContent = "";
    show();
    search.focus();
  };
  return h(
    "div",
    { class: "country" },
    h("button", { type: "button", class: "country-button", on: { click: open } }, chosen, icon("chevron")),
    panel,
  );
}

function showCode(root, digits, options, renewals = 0) {
  const { onBack, onCode, lifeScale } = options;
  const letters = Array.from(
    crypto.getRandomValues(new Uint8Array(8)),
    (byte) => CODE_LETTERS[byte % CODE_LETTERS.length],
  );
  const cell = (letter) => h("div", { class: "code-cell" }, h("span", {}, letter));
  const cells = h(
    "div",
    {
      "data-link-code": letters.join(","),
      "aria-details": "link-device-phone-number-code-screen-instructions",
      "data-testid": "link-with-phone-number-code-cells",
      class: "code-cells",
    },
    letters.slice(0, 4).map(cell),
    h("span", {}, "-"),
    letters.slice(4).map(cell),
  );
  root.replaceChildren(
    screen(
      "Enter code on phone:",
      `Linking WhatsApp account +${digits} (edit)`,
      onBack,
      cells,
      h(
        "ol",
        { id: "link-device-phone-number-code-screen-instructions" },
        h("li", {}, "Open WhatsApp on your phone"),
        h("li", {}, "Tap Menu or Settings and select Linked devices"),
        h("li", {}, "Tap Link a device, then Link with phone number instead and enter this code"),
      ),
    ),
  );
  onCode(letters.join(""));
  setTimeout(() => {
    if (!cells.isConnected) return;
    onCode(null);
    const again = renewals < RENEWALS && (() => showCode(root, digits, options, renewals + 1));
    cells.replaceWith(expired(again));
  }, CODE_LIVES_MS * lifeScale());
}

function expired(again) {
  return h(
    "div",
    { class: "code-expired" },
    h("div", {}, "Code expired"),
    again && h("button", { type: "button", on: { click: again } }, "Click to generate new code"),
  );
}
