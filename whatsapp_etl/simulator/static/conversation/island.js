// The rows of the open chat: what was loaded from storage, and the few (at most 100, or 551) that are mounted.
//
// Loaded rows are one piece that ends with the newest message. The mounted ones are a window on it that moves up and
// down; moving it keeps the first visible row where it is on the screen.

import { hasVariant } from "../variants.js";
import { pause } from "./pause.js";
import { Row } from "./row.js";

const MOST_MOUNTED = 100;
const MANY_MOUNTED = 551; // as far as a walk upwards went elsewhere
const FEWEST_STEP = 20;
const LARGEST_STEP = 24;
const WINDOWS_PER_STEP = 2;

export class Island {
  #scroller;
  #list;
  #virtualization;
  #tools;
  #config;
  #entries = [];
  #from = 0;
  #to = 0;
  #rows = new Map();
  unread = null;

  constructor({ scroller, list, virtualization, tools, config }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#virtualization = virtualization;
    this.#tools = tools;
    this.#config = config;
  }

  get oldest() {
    return this.#entries[0];
  }

  get newest() {
    return this.#entries.at(-1);
  }

  get size() {
    return this.#entries.length;
  }

  /** Whether loaded rows wait above or below the mounted ones. */
  get hasMoreAbove() {
    return this.#from > 0;
  }

  get hasMoreBelow() {
    return this.#to < this.#entries.length;
  }

  mounted() {
    return this.#entries.slice(this.#from, this.#to).map((entry) => this.#rows.get(entry.row.id));
  }

  /** The mounted row of a message, if it is mounted. */
  rowOf(id) {
    return this.#rows.get(id);
  }

  /** The album of which a message is a picture. */
  albumWith(id) {
    return this.#entries.find((entry) => entry.children?.some((row) => row.id === id));
  }

  /** Ids of the messages that stand here and belong to an album. */
  idsOfAlbum(album) {
    const found = this.#entries.filter(({ row }) => row.body.album === album);
    return found.flatMap(({ row, children }) => (children ?? [row]).map(({ id }) => id));
  }

  has(id) {
    return this.#entries.some((entry) => entry.row.id === id);
  }

  /** Start with these entries, oldest first, and mount the window [from, to). */
  start(entries, from, to) {
    this.#entries = entries;
    this.#from = from;
    this.#to = to;
    this.#draw();
  }

  /** Put older entries before the loaded ones; nothing is mounted yet. */
  prepend(entries) {
    this.#entries = [...entries, ...this.#entries];
    this.#from += entries.length;
    this.#to += entries.length;
  }

  /** Mount the next rows above; those far below leave. */
  showOlder() {
    this.#keepingPlace(() => {
      this.#from = Math.max(0, this.#from - this.#step());
      this.#to = Math.min(this.#to, this.#from + this.#most());
    });
  }

  /** Mount the next rows below; those far above leave. */
  showNewer() {
    this.#keepingPlace(() => {
      this.#to = Math.min(this.#entries.length, this.#to + this.#step());
      this.#from = Math.max(this.#from, this.#to - this.#most());
    });
  }

  /** Mount the newest rows, as many as after opening. */
  showNewest(count) {
    this.#to = this.#entries.length;
    this.#from = Math.max(0, this.#to - count);
    this.#draw();
  }

  /** Add an entry where its place in the chat is. */
  insert(entry) {
    const position = this.#positionOf(entry.row.internalId);
    const isInWindow = position > this.#from && position <= this.#to;
    this.#keepingPlace(() => {
      this.#entries.splice(position, 0, entry);
      if (position <= this.#from && this.#to > 0) this.#from += 1;
      if (isInWindow || position <= this.#from || this.#entries.length === 1) this.#to += 1;
      if (this.#to - this.#from > this.#most()) this.#from = this.#to - this.#most();
    });
  }

  /** Change what an entry shows. */
  update(id, changes) {
    const entry = this.#entries.find((candidate) => candidate.row.id === id);
    if (!entry) return;
    Object.assign(entry, changes);
    const row = this.#rows.get(id);
    if (row) this.#inPlace(() => row.update(changes));
  }

  remove(id) {
    const position = this.#entries.findIndex((entry) => entry.row.id === id);
    if (position < 0) return;
    this.#keepingPlace(() => {
      this.#entries.splice(position, 1);
      if (position < this.#from) this.#from -= 1;
      if (position < this.#to) this.#to -= 1;
    });
  }

  stop() {
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
  }

  #most() {
    return hasVariant(this.#config, "many_rows") ? MANY_MOUNTED : MOST_MOUNTED;
  }

  // About two window heights, within bounds that make a page of 50 three steps.
  #step() {
    const mounted = Math.max(1, this.#to - this.#from);
    const height = Math.max(1, this.#list.node.offsetHeight / mounted);
    const wanted = Math.ceil((WINDOWS_PER_STEP * this.#scroller.clientHeight) / height);
    return Math.min(LARGEST_STEP, Math.max(FEWEST_STEP, wanted));
  }

  #positionOf(internalId) {
    let position = this.#entries.length;
    while (position > 0 && placeOf(this.#entries[position - 1].row.internalId) > placeOf(internalId)) position -= 1;
    return position;
  }

  #draw() {
    const wanted = this.#entries.slice(this.#from, this.#to);
    const ids = new Set(wanted.map((entry) => entry.row.id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    const fresh = [];
    for (const entry of wanted) {
      if (this.#rows.has(entry.row.id)) continue;
      const row = new Row(entry, this.#tools);
      this.#rows.set(entry.row.id, row);
      fresh.push(row);
    }
    const rows = this.mounted();
    this.#list.show(rows, this.unread);
    this.#fill(fresh);
    this.#virtualization.watch(rows);
  }

  #fill(fresh) {
    const { hydrate_ms: wait } = this.#config().delays;
    if (!(wait > 0)) return fresh.forEach((row) => row.fill());
    return pause(wait).then(() => {
      const left = fresh.filter((row) => this.#rows.get(row.entry.row.id) === row && !row.isFilled);
      this.#inPlace(() => left.forEach((row) => row.fill()));
    });
  }

  #keepingPlace(change) {
    this.#inPlace(() => {
      change();
      this.#draw();
    });
  }

  // The first visible row keeps its place on the screen, whatever happens above it.
  #inPlace(change) {
    const top = this.#scroller.getBoundingClientRect().top;
    const anchor = this.mounted().find((row) => row.element.getBoundingClientRect().bottom > top);
    const before = anchor?.element.getBoundingClientRect().top;
    change();
    if (!anchor?.element.isConnected) return;
    const moved = anchor.element.getBoundingClientRect().top - before;
    if (moved !== 0) this.#scroller.scrollTop += moved;
  }
}

// The place in the chat, without the chat's id, which may have changed in between.
function placeOf(internalId) {
  return internalId.slice(internalId.indexOf("_"));
}
