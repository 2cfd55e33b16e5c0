// The list of chats: order, filters, archived drawer, search, and its re-ordering when messages arrive.

import { ArchivedDrawer, isArchived } from "./archived.js";
import { h, icon } from "./dom.js";
import { era } from "./era.js";
import { createRowMaker } from "./rows_of_list.js";
import { SearchBox } from "./search_box.js";
import { searchItems } from "./search_results.js";
import { VirtualList } from "./virtual_list.js";

const FILTERS = [
  ["all-filter", "All", () => true],
  ["unread-filter", "Unread", ({ unreadCount }) => unreadCount !== 0],
  ["favorites-filter", "Favourites", () => false],
  ["group-filter", "Groups", ({ id }) => id.endsWith("@g.us")],
];
const MOST_JUMPS = 10; // how often `reorder_while_scrolling` moves a chat
const SCROLLS_A_JUMP = 3;
const FLICKER_MS = 400;

/** Whether a chat stands in the list or in the archive; channels, status and locked chats do not. */
export function isListed(chat) {
  return !chat.isLocked && !chat.id.endsWith("@newsletter") && chat.id !== "status@broadcast";
}

/** Pinned chats first, the newest pin on top; then by latest activity. */
export function inOrder(chats) {
  return [...chats].sort((one, other) => (other.pin ?? 0) - (one.pin ?? 0) || (other.t ?? 0) - (one.t ?? 0));
}

export class ChatList {
  #ctx;
  #shell;
  #rows;
  #list;
  #grid;
  #archivedButton = h("div");
  #empty = h("div", { class: "empty-list", hidden: true });
  #tabs;
  #filter = "all-filter";
  #query = "";
  #search;
  #searchRun = 0;
  #messages = new Map();
  #revisions = new Map();
  #globalRevision = 0;
  #openId = null;
  #drawer = null;
  #jumped = [];
  #scrolls = 0;
  #changes = Promise.resolve(); // one after the other, so that an older reading never replaces a newer one
  #onOpen;

  /**
   * @param {object} ctx the page's parts
   * @param {import("./shell.js").Shell} shell
   * @param {{onOpen: (chatId: string) => void}} options
   */
  constructor(ctx, shell, { onOpen }) {
    this.#ctx = ctx;
    this.#shell = shell;
    this.#onOpen = onOpen;
    this.#rows = createRowMaker(ctx);
    this.#search = new SearchBox(
      (query) => this.#searched(query),
      ctx.config().search_editable ?? era().hasEditableSearch,
    );
    this.#build();
    ctx.store.on("changes", (changes) => {
      this.#changes = this.#changes.then(() => this.#changed(changes));
    });
  }

  /** Read the newest message of every chat and show the list. */
  async start() {
    const ids = this.#ctx.store.chats().map(({ id }) => id);
    this.#messages = await this.#ctx.store.lastMessages(ids);
    this.#show();
    this.#takeUp(this.#ctx.config().left_over);
    setInterval(() => this.#flicker(), FLICKER_MS);
  }

  // What the last visit left as it was: a filter, a search, the open archive.
  #takeUp(leftOver) {
    if (leftOver === "search") this.#search.enter("e");
    else if (leftOver === "archive") this.#openArchive();
    else if (leftOver) this.#choose(leftOver);
  }

  // While people type, the previews of their chats change all the time.
  #flicker() {
    if (!this.#ctx.config().typing) return;
    this.#rows.isTyping = !this.#rows.isTyping;
    this.#globalRevision += 1;
    this.#show();
  }

  /** Mark a chat as the open one; null for none. */
  select(chatId) {
    for (const id of [this.#openId, chatId]) if (id) this.#touch(id);
    this.#openId = chatId;
    this.#show();
    this.#drawer?.refresh();
  }

  /** Show every row anew: the language or the day changed. */
  refresh() {
    this.#globalRevision += 1;
    this.#show();
    this.#drawer?.refresh();
  }

  #build() {
    const { list, banners } = this.#shell;
    this.#grid = h("div", { "aria-label": this.#ctx.format.word("Chat list"), role: "grid" });
    const scroller = h(
      "div",
      { id: "pane-side", "data-scrolltracepolicy": "wa.web.chatlist", class: "_ak9y" },
      this.#archivedButton,
      h(
        "div",
        { tabindex: 0, "data-tab": 4 },
        h("div", { tabindex: -1, "data-testid": "chat-list" }, this.#grid),
        this.#empty,
      ),
      encryptionNote(),
    );
    this.#tabs = h(
      "div",
      { tabindex: -1, role: "tablist", "aria-label": "chat-list-filters" },
      FILTERS.map((each) => this.#tab(each)),
    );
    list.replaceChildren(this.#search.element, this.#tabs, banners, scroller);
    this.#list = new VirtualList(scroller, this.#grid, (element, item) => item.fill(element));
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  #tab([id, label]) {
    const isOn = id === this.#filter;
    return h(
      "button",
      {
        tabindex: isOn ? 0 : -1,
        "data-tab": 3,
        "aria-disabled": "false",
        type: "button",
        role: "tab",
        "aria-pressed": isOn,
        id,
        "aria-selected": isOn,
        "aria-controls": "chat-list",
        on: { click: () => this.#choose(id) },
      },
      h("div", {}, h("div", {}, label)),
    );
  }

  #choose(id) {
    this.#filter = id;
    for (const tab of this.#tabs.children) {
      const isOn = tab.id === id;
      tab.setAttribute("aria-selected", String(isOn));
      tab.setAttribute("aria-pressed", String(isOn));
      tab.setAttribute("tabindex", isOn ? "0" : "-1");
    }
    this.#show();
  }

  #show() {
    this.#showUnread();
    this.#showArchivedButton();
    if (this.#query) {
      this.#searched(this.#query);
      return;
    }
    const [, , isWanted] = FILTERS.find(([id]) => id === this.#filter);
    const chats = this.#ordered().filter(isWanted);
    this.#grid.setAttribute("aria-label", this.#ctx.format.word("Chat list"));
    this.#list.show(chats.map((chat) => this.#item(chat)));
    this.#empty.hidden = chats.length > 0;
    this.#empty.textContent = this.#filter === "unread-filter" ? "No unread chats" : "No chats";
  }

  #ordered() {
    const listed = inOrder(this.#ctx.store.chats().filter((chat) => isListed(chat) && !isArchived(chat)));
    if (this.#jumped.length === 0) return listed;
    const isJumped = ({ id, pin }) => !pin && this.#jumped.includes(id);
    const rank = ({ id }) => this.#jumped.indexOf(id);
    const jumped = listed.filter(isJumped).sort((one, other) => rank(one) - rank(other));
    const others = listed.filter((chat) => !isJumped(chat));
    const pinned = others.filter(({ pin }) => pin).length;
    return [...others.slice(0, pinned), ...jumped, ...others.slice(pinned)];
  }

  #item(chat, { isArchivedRow = false } = {}) {
    const isSelected = chat.id === this.#openId;
    return {
      key: chat.id,
      height: era().listRowHeight,
      revision: [this.#globalRevision, this.#revisions.get(chat.id) ?? 0, isSelected, this.#today()].join("|"),
      fill: (element) =>
        this.#rows.fillChat(element, {
          chat,
          message: this.#messages.get(chat.id),
          isSelected,
          isArchivedRow,
          onOpen: () => this.#onOpen(chat.id),
        }),
    };
  }

  #today() {
    return this.#ctx.format.dayKey(this.#ctx.clock.now().getTime() / 1000);
  }

  // --- what arrives --------------------------------------------------------------------------

  async #changed(changes) {
    const chats = new Set();
    for (const { store, key, value } of changes) {
      if (store === "chat") chats.add(key);
      if (store === "message") chats.add(this.#ctx.store.chatIdOf(value ?? { id: key }));
      if (store === "contact" || store === "group-metadata") this.#globalRevision += 1;
    }
    const fresh = await this.#ctx.store.lastMessages([...chats]);
    for (const id of chats) {
      this.#touch(id);
      if (fresh.has(id)) this.#messages.set(id, fresh.get(id));
      else this.#messages.delete(id);
    }
    const delay = this.#ctx.config().delays.list_reorder_ms;
    const show = () => {
      this.#show();
      this.#drawer?.refresh();
    };
    if (delay > 0) setTimeout(show, delay);
    else show();
  }

  #touch(chatId) {
    this.#revisions.set(chatId, (this.#revisions.get(chatId) ?? 0) + 1);
  }

  // A message that arrives while one scrolls lifts its chat from far below to the top.
  #scrolled() {
    if (!this.#ctx.config().reorder_while_scrolling || this.#query) return;
    this.#scrolls += 1;
    if (this.#scrolls % SCROLLS_A_JUMP !== 0 || this.#jumped.length >= MOST_JUMPS) return;
    const below = this.#ordered().filter(({ id, pin }) => !pin && !this.#jumped.includes(id));
    const last = below.at(-1);
    if (!last) return;
    this.#jumped.unshift(last.id);
    this.#show();
  }

  #showUnread() {
    const unread = this.#ctx.store
      .chats()
      .filter((chat) => isListed(chat) && !isArchived(chat) && chat.unreadCount > 0);
    this.#shell.showUnread(unread.length);
  }

  // --- archive -------------------------------------------------------------------------------

  #archivedChats() {
    return inOrder(this.#ctx.store.chats().filter((chat) => isListed(chat) && isArchived(chat)));
  }

  #showArchivedButton() {
    const archived = this.#archivedChats();
    const unread = archived.filter(({ unreadCount }) => unreadCount !== 0).length;
    const button = h(
      "button",
      {
        "data-tab": 4,
        type: "button",
        class: "archived-button",
        "aria-label": "Archived",
        on: { click: () => this.#openArchive() },
      },
      h("div", {}, icon("archive-refreshed")),
      h("div", { class: "archived-label" }, "Archived"),
      unread > 0
        ? h("div", { class: "archived-count" }, h("span", { "aria-label": `${unread} unread` }, unread))
        : null,
    );
    this.#archivedButton.replaceChildren(...(archived.length > 0 && !this.#query ? [button] : []));
  }

  #openArchive() {
    if (this.#drawer) return;
    this.#drawer = new ArchivedDrawer(this.#shell.drawer, {
      items: () => this.#archivedChats().map((chat) => this.#item(chat, { isArchivedRow: true })),
      onClose: () => {
        this.#drawer = null;
      },
    });
  }

  // --- search --------------------------------------------------------------------------------

  async #searched(query) {
    this.#query = query;
    this.#searchRun += 1;
    const run = this.#searchRun;
    if (!query) {
      this.#show();
      return;
    }
    const items = await searchItems(query, {
      ctx: this.#ctx,
      rows: this.#rows,
      onOpen: this.#onOpen,
      chatItem: (chat) => this.#item(chat),
      chats: inOrder(this.#ctx.store.chats().filter(isListed)),
      revision: String(this.#globalRevision),
    });
    if (run !== this.#searchRun) return;
    this.#showArchivedButton();
    this.#grid.setAttribute("aria-label", "Search results.");
    this.#list.show(items);
    this.#empty.hidden = items.length > 0;
    this.#empty.textContent = "No chats, contacts or messages found";
  }
}

function encryptionNote() {
  const link = h(
    "a",
    { tabindex: 0, "data-tab": 4, target: "_blank", rel: "noopener noreferrer", dir: "ltr", role: "button" },
    "end-to-end encrypted",
  );
  return h(
    "div",
    { class: "encryption-note" },
    h(
      "div",
      { "data-testid": "chatlist-e2e-message" },
      h("div", {}, icon("lock-outline"), "Your personal messages are ", link),
    ),
  );
}
