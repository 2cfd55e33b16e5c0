// One open chat: builds #main, loads the first rows, keeps them in step with the store.

import { h } from "../dom.js";
import { folded, wholeAlbums } from "./albums.js";
import { cardsOf } from "./cards.js";
import { era } from "../era.js";
import { hasVariant } from "../variants.js";
import { composer } from "./composer.js";
import { BottomButton, FloatingDate } from "./floating.js";
import { Header } from "./header.js";
import { Island } from "./island.js";
import { isDrawn, isNotice, isOwn, senderOf } from "./keys.js";
import { List } from "./list.js";
import { Media } from "./media.js";
import { PAGE_ROWS, Paging } from "./paging.js";
import { pause } from "./pause.js";
import { TopBlock } from "./topblock.js";
import { Virtualization } from "./virtualization.js";

const FIRST_ROWS = PAGE_ROWS + 1; // a page, and the newest message that is known already
const ROWS_BEFORE_UNREAD = 25;

export class Pane {
  #ctx;
  #senders = new Map();
  #tools;
  #header;
  #list;
  #media;
  #virtualization;
  #island;
  #paging;
  #topBlock;
  #floatingDate;
  #bottomButton;
  #scroller;
  #ends = [];
  #changes;
  #started;
  #isClosed = false;

  constructor(ctx, chatId) {
    this.#ctx = ctx;
    this.chatId = chatId;
    // What changes while the first rows are loaded waits for them.
    this.#changes = new Promise((resolve) => {
      this.#started = resolve;
    });
    this.#build();
  }

  #build() {
    const { config, store } = this.#ctx;
    const isGroup = this.chatId.endsWith("@g.us");
    this.#header = new Header(this.#ctx, this.chatId);
    this.#scroller = h("div", {
      tabindex: "0",
      "data-testid": "conversation-panel-messages",
      "data-scrolltracepolicy": "wa.web.conversation.messages",
      class: "scroller",
    });
    this.#media = new Media(this.#scroller, config);
    this.#tools = { ...this.#ctx, media: this.#media, isGroup, person: (jid) => this.#person(jid) };
    this.#list = new List(this.#tools);
    const { isOldNesting } = era();
    const below = isOldNesting ? [h("div", {}, h("span"))] : []; // empty; the newer releases are not known
    this.#scroller.append(h("div", { class: "spacer" }), this.#list.node, ...below, h("div"));
    const marginPx = config().virtual_margin_px ?? undefined;
    this.#virtualization = new Virtualization(this.#scroller, { marginPx, hydrate: (row) => this.#hydrate(row) });
    this.#island = new Island({
      scroller: this.#scroller,
      list: this.#list,
      virtualization: this.#virtualization,
      tools: this.#tools,
      config,
    });
    const place = (node) => this.#list.node.before(node);
    this.#topBlock = new TopBlock(this.#ctx, this.chatId, place, () => this.#phoneSent());
    this.#floatingDate = new FloatingDate(this.#scroller, this.#list);
    this.#bottomButton = new BottomButton(() => this.#toBottom());
    const chat = store.chat(this.chatId);
    const area = h("div", { class: "copyable-area" }, this.#bottomButton.node, this.#floatingDate.node, this.#scroller);
    this.node = h(
      "div",
      { id: "main", class: "_ajx_", "data-testid": "conversation-panel-wrapper" },
      h("div", { [`data-asset-chat-background-${era().background}`]: "true" }),
      this.#header.node,
      h(
        "div",
        { "data-testid": "conversation-panel-body", class: "panel-body" },
        isOldNesting ? h("div", {}, area) : area,
      ),
      h("div", { style: "height: 0px" }),
      composer({ name: store.title(this.chatId), isGroup, isReadOnly: Boolean(chat?.isReadOnly) }),
      h("span"),
    );
  }

  /** Load the rows around the bottom or the first unread message, and show them. */
  async start() {
    const { store, receipts } = this.#ctx;
    this.#ends.push(store.on("change", (change) => this.#changed(change)));
    const unread = await store.unreadIds(this.chatId);
    const { entries, hasMore } = await this.#loadWith(unread.at(-1), unread.length);
    if (this.#isClosed) return;
    const firstUnread = entries.findIndex(({ row }) => row.id === unread.at(-1));
    if (firstUnread >= 0) this.#island.unread = { beforeId: entries[firstUnread].row.id, count: unread.length };
    const [from, to] = firstWindow(entries.length, firstUnread);
    this.#paging = new Paging({
      scroller: this.#scroller,
      island: this.#island,
      topBlock: this.#topBlock,
      config: this.#ctx.config,
      loadPage: () => this.#loadOlder(),
      onBottom: () => receipts.reachedBottom(this.chatId),
    });
    this.#paging.hasMoreStored = hasMore;
    this.#island.start(entries, from, to);
    this.#topBlock.settle(!hasMore && from === 0);
    this.#scrollToStart();
    this.#watchScroll();
    receipts.chatOpened(this.chatId);
    this.#header.showMembers();
    this.#started();
  }

  /** Leave the chat. */
  stop() {
    this.#isClosed = true;
    for (const end of this.#ends) end?.();
    this.#paging?.stop();
    this.#topBlock.stop();
    this.#virtualization.stop();
    this.#floatingDate.stop();
    this.#island.stop();
    this.#media.close();
    this.#ctx.receipts.chatClosed?.(this.chatId);
    this.node.remove();
  }

  // --- loading -------------------------------------------------------------------------------

  /** Up to `limit` entries older than `internalId`, oldest first; one row more tells whether that is all. */
  async #load(internalId, limit) {
    const rows = await this.#ctx.store.messagesBefore(this.chatId, internalId, limit + 1);
    const hasMore = rows.length > limit;
    const kept = wholeAlbums(rows.slice(0, limit), rows[limit]);
    const drawn = kept.filter(isDrawn).reverse();
    const entries = this.#folded(await Promise.all(drawn.map((row) => this.#entryOf(row))));
    const isBeginning = !hasMore && !this.#topBlock.hasMoreElsewhere;
    const cards = isBeginning ? cardsOf(this.#ctx, this.chatId, entries[0]) : [];
    return { entries: [...cards, ...entries], hasMore, oldest: kept.at(-1)?.internalId };
  }

  /** The newest entries, as far back as the first unread message and some before it. */
  async #loadWith(firstUnread, count) {
    let limit = Math.max(FIRST_ROWS, count + ROWS_BEFORE_UNREAD);
    let page = await this.#load(null, limit);
    const isReached = () => page.entries.slice(ROWS_BEFORE_UNREAD).some(({ row }) => row.id === firstUnread);
    while (firstUnread && page.hasMore && !isReached()) {
      limit *= 2;
      page = await this.#load(null, limit);
    }
    return page;
  }

  async #loadOlder() {
    let cursor = this.#island.oldest?.row.internalId ?? null;
    let page = { entries: [], hasMore: true };
    while (page.entries.length === 0 && page.hasMore) {
      page = await this.#load(cursor, PAGE_ROWS);
      cursor = page.oldest;
    }
    return page;
  }

  #folded(entries) {
    return folded(entries, { pairsStickers: hasVariant(this.#ctx.config, "grouped_stickers") });
  }

  async #entryOf(row) {
    return { row, sender: this.#sender(row), reactions: await this.#reactionsOf(row.id) };
  }

  async #reactionsOf(id) {
    const rows = await this.#ctx.store.reactionsFor(id);
    return rows.filter((row) => row.reactionText).sort((a, b) => a.timestamp - b.timestamp);
  }

  #sender(row) {
    const { me } = this.#ctx;
    return isOwn(row) ? { jid: me.id, name: me.push_name, isSaved: true } : this.#person(senderOf(row));
  }

  // Somebody else, as this account knows him.
  #person(jid) {
    const { store, format } = this.#ctx;
    if (!this.#senders.has(jid)) {
      const contact = store.contact(jid);
      const phoneId = jid.endsWith("@lid") ? contact?.phoneNumber : jid;
      const phone = phoneId ? format.phone((phoneId._serialized ?? phoneId).split("@")[0]) : null;
      const name = store.displayName(jid);
      const isSaved = name !== phone && !name.startsWith("~");
      this.#senders.set(jid, { jid, name, isSaved, pushname: contact?.pushname, phone });
    }
    return this.#senders.get(jid);
  }

  async #phoneSent() {
    await this.#ctx.store.pull?.();
    if (this.#isClosed) return;
    this.#paging.hasMoreStored = true;
    await this.#paging.older();
  }

  // --- live ----------------------------------------------------------------------------------

  #changed({ store: name, key, value }) {
    if (this.#isClosed) return;
    if (name === "message" && this.#ctx.store.chatIdOf({ id: key }) === this.chatId) this.#queue(() => this.#messageChanged(key, value));
    else if (name === "reactions") this.#queue(() => this.#reactionChanged(key[0]));
    else if (name === "contact") this.#contactChanged();
    else if (name === "participant" && key === this.chatId) this.#header.showMembers();
    else if (name === "group-metadata" && key === this.chatId) this.#header.refresh();
  }

  #queue(work) {
    this.#changes = this.#changes.then(() => (this.#isClosed ? null : work()));
  }

  #contactChanged() {
    this.#senders.clear();
    this.#header.refresh();
  }

  async #reactionChanged(id) {
    if (!this.#island.has(id)) return;
    this.#island.update(id, { reactions: await this.#reactionsOf(id) });
  }

  async #messageChanged(id, value) {
    const album = this.#island.albumWith(id);
    if (album) return this.#regroup(album.children.map((row) => row.id));
    if (!value) return this.#island.remove(id);
    const { oldest } = this.#island;
    const isKnown = this.#island.has(id);
    if (!isKnown && oldest && value.internalId < oldest.row.internalId) {
      this.#paging.hasMoreStored = true;
      return;
    }
    const row = await this.#ctx.store.message(id);
    if (!row || !isDrawn(row) || this.#isClosed) return;
    if (isKnown) return this.#island.update(id, { row, sender: this.#sender(row) });
    const siblings = row.body.album ? this.#island.idsOfAlbum(row.body.album) : [];
    if (siblings.length > 0) return this.#regroup([...siblings, row.id]);
    await this.#arrived(row);
  }

  // Draw pictures that were sent together anew: another one came, or one of them changed.
  async #regroup(ids) {
    const rows = (await Promise.all(ids.map((id) => this.#ctx.store.message(id)))).filter(Boolean);
    const entries = await Promise.all(rows.map((row) => this.#entryOf(row)));
    if (this.#isClosed) return;
    ids.forEach((id) => this.#island.remove(id));
    this.#folded(entries).forEach((entry) => this.#island.insert(entry));
  }

  async #arrived(row) {
    const wasAtBottom = this.#paging.isAtBottom;
    const entry = await this.#entryOf(row);
    if (this.#isClosed || this.#island.has(row.id)) return;
    this.#island.insert(entry);
    if (wasAtBottom) {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#ctx.receipts.messageArrived?.(this.chatId);
    } else if (!isOwn(row) && !isNotice(row)) {
      this.#bottomButton.arrived();
      this.#showBottomButton();
    }
  }

  // --- scrolling -----------------------------------------------------------------------------

  #scrollToStart() {
    const divider = this.#list.node.querySelector(".unread-divider");
    if (!divider) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    else this.#scroller.scrollTop = divider.offsetTop - this.#scroller.clientHeight / 3;
  }

  #toBottom() {
    if (this.#island.hasMoreBelow) this.#island.showNewest(FIRST_ROWS);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #watchScroll() {
    this.#scroller.addEventListener("scroll", () => this.#showBottomButton(), { passive: true });
    const shown = () => document.visibilityState === "visible" && this.#cameToFront();
    document.addEventListener("visibilitychange", shown);
    this.#ends.push(() => document.removeEventListener("visibilitychange", shown));
  }

  // A tab in the background draws little; what it left out comes when it is looked at.
  #cameToFront() {
    this.#virtualization.restart();
    if (this.#island.mounted().length < 2 && this.#island.size > 1) this.#toNewest();
  }

  #toNewest() {
    this.#island.showNewest(FIRST_ROWS);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #showBottomButton() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#bottomButton.show(scrollHeight - clientHeight - scrollTop, this.#island.hasMoreBelow);
  }

  async #hydrate(row) {
    await pause(this.#ctx.config().delays.hydrate_ms);
    if (!this.#isClosed && row.element.isConnected && !row.isFilled) row.fill();
  }
}

// At the bottom, or around the first unread message where many came. A hidden tab draws the last row only.
function firstWindow(count, firstUnread) {
  if (document.visibilityState === "hidden") return [Math.max(0, count - 1), count];
  const from = Math.max(0, count - FIRST_ROWS);
  if (firstUnread < 0 || firstUnread - ROWS_BEFORE_UNREAD >= from) return [from, count];
  const first = Math.max(0, firstUnread - ROWS_BEFORE_UNREAD);
  return [first, Math.min(count, first + FIRST_ROWS)];
}
