// Says which screen is shown, as facts without any text of the page: which named things are there,
// and which known words a dialog, a bar, or a page without chat list says.
//
// args: select, label, attribute (the parts of a selector pack), last (the facts of the previous
// call, or null), wait_ms. Returns as soon as the facts differ from `last`, at the latest after
// wait_ms: {"facts": …, "hits": {name: index of the candidate that matched}}.
async (args) => {
  const STEP_MS = 100;
  let hits = {};

  const find = (name) => {
    const candidates = args.select[name] ?? [];
    for (let index = 0; index < candidates.length; index += 1) {
      const element = document.querySelector(candidates[index]);
      if (element !== null) {
        hits[name] = index;
        return element;
      }
    }
    return null;
  };

  const isShown = (element) => element.getClientRects().length > 0;

  const dialogs = () => {
    const found = (args.select.dialog ?? []).flatMap((css) => [...document.querySelectorAll(css)]).filter(isShown);
    return found.filter((element) => !found.some((other) => other !== element && other.contains(element)));
  };

  // Packs are written with straight apostrophes; the page uses both.
  const plain = (text) => text.replaceAll("\u2019", "'");

  const says = (element) => {
    const spoken = [element, ...element.querySelectorAll("[aria-label]")].map((part) => part.getAttribute("aria-label") ?? "");
    return plain([element.innerText ?? "", ...spoken].join("\n"));
  };

  // The bars above the chat list: beside the list, never in it, since chats carry people's words.
  const barsSay = (panel, list) => [...panel.children].filter((child) => !child.contains(list)).map(says).join("\n");

  // The bar's own numbers, else what the screen writes: "Loading your chats [42%]".
  const percentOf = (screen) => {
    const bar = find("loading_bar");
    const [value, most] = bar === null ? [NaN, NaN] : ["value", "max"].map((name) => Number.parseFloat(bar.getAttribute(name)));
    const share = most > 0 ? (100 * value) / most : Number.parseFloat(/(\d{1,3})\s?%/.exec(screen?.innerText ?? "")?.[1]);
    return Number.isFinite(share) ? Math.round(Math.min(100, Math.max(0, share))) : null;
  };

  const facts = () => {
    hits = {};
    const list = find("chat_list_pane");
    const qr = find("qr_code");
    const qrScreen = find("qr_screen");
    const code = find("link_code");
    const shown = dialogs();
    const panel = find("side_panel");
    let words = shown.map(says).join("\n");
    if (list !== null && panel !== null) words += `\n${barsSay(panel, list)}`;
    // A page without chat list, code or dialog carries nobody's words but WhatsApp's. A side panel without a list that
    // is known may hold one that is not.
    if (list === null && panel === null && qrScreen === null && qr === null && code === null && shown.length === 0 && document.body) words += `\n${says(document.body)}`;
    const labels = Object.keys(args.label)
      .filter((name) => args.label[name].some((text) => words.includes(text)));
    const loading = find("loading");
    return {
      has_app: (find("app_root")?.childElementCount ?? 0) > 0,
      has_splash: find("splash") !== null,
      has_qr_screen: qr !== null || qrScreen !== null,
      has_link_code: code !== null,
      qr_payload: qr?.getAttribute(args.attribute.qr_payload) ?? null,
      is_qr_expired: qr !== null && find("qr_reload") !== null,
      is_loading: loading !== null || labels.includes("loading"),
      loading_percent: loading === null ? null : percentOf(loading),
      has_chat_list: list !== null,
      has_dialog: shown.length > 0,
      is_after_logout: new URLSearchParams(location.search).has("post_logout"),
      labels: labels.sort(),
    };
  };

  const last = JSON.stringify(args.last);
  const deadline = performance.now() + args.wait_ms;
  let now = facts();
  while (JSON.stringify(now) === last && performance.now() < deadline) {
    await new Promise((resolve) => { setTimeout(resolve, STEP_MS); });
    now = facts();
  }
  return JSON.stringify({ facts: now, hits });
}
