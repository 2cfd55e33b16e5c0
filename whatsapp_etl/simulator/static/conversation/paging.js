// When more rows are wanted: near an end of the mounted ones, once for each time the reader comes there.

import { pause, throttled } from "./pause.js";

const TRIGGER_PX = 300; // nearer to the top than this asks for older rows
const RELEASE_PX = 80; // and asks again only after having been farther away than this
const THROTTLE_MS = 100;
const BOTTOM_PX = 10;
export const PAGE_ROWS = 50;

export class Paging {
  #scroller;
  #island;
  #topBlock;
  #config;
  #loadPage;
  #onBottom;
  #isBusy = false;
  #isLatchedAbove = false;
  #isLatchedBelow = false;
  #wasAtBottom = false;
  #placedAt = null;
  #onScroll;

  /**
   * @param {object} parts `loadPage()` fetches a page of older entries, oldest first, and says whether there are more;
   *   `onBottom()` hears that the newest message came into view
   */
  constructor({ scroller, island, topBlock, config, loadPage, onBottom }) {
    this.#scroller = scroller;
    this.#island = island;
    this.#topBlock = topBlock;
    this.#config = config;
    this.#loadPage = loadPage;
    this.#onBottom = onBottom;
    this.hasMoreStored = true;
    const check = throttled(() => this.#check(), THROTTLE_MS);
    this.#onScroll = () => {
      if (this.#scroller.scrollTop !== this.#placedAt) this.#placedAt = null;
      this.#release();
      if (this.#isNearEnd) check();
      else this.#tellBottom();
    };
    scroller.addEventListener("scroll", this.#onScroll, { passive: true });
  }

  get isAtBottom() {
    return !this.#island.hasMoreBelow && this.#distances().below <= BOTTOM_PX;
  }

  stop() {
    this.#scroller.removeEventListener("scroll", this.#onScroll);
  }

  #check() {
    const { above, below } = this.#distances();
    // Where the page itself has put the reader asks for nothing, though it may lie within reach of the trigger.
    if (above < TRIGGER_PX && !this.#isLatchedAbove && above !== this.#placedAt) this.#wantOlder();
    if (below < TRIGGER_PX && !this.#isLatchedBelow) this.#wantNewer();
    this.#tellBottom();
  }

  // Leaving the zone is noticed at once, whatever the throttle: nothing is loaded by it.
  #release() {
    const { above, below } = this.#distances();
    if (above > RELEASE_PX) this.#isLatchedAbove = false;
    if (below > RELEASE_PX) this.#isLatchedBelow = false;
  }

  get #isNearEnd() {
    const { above, below } = this.#distances();
    return above < TRIGGER_PX || below < TRIGGER_PX;
  }

  #distances() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return { above: scrollTop, below: scrollHeight - clientHeight - scrollTop };
  }

  #tellBottom() {
    const isAtBottom = this.isAtBottom;
    if (isAtBottom && !this.#wasAtBottom) this.#onBottom();
    this.#wasAtBottom = isAtBottom;
  }

  #wantOlder() {
    if (this.#isBusy || !(this.#island.hasMoreAbove || this.hasMoreStored)) return;
    this.#isLatchedAbove = true;
    this.#exclusively(() => this.older());
  }

  #wantNewer() {
    if (this.#isBusy || !this.#island.hasMoreBelow) return;
    this.#isLatchedBelow = true;
    this.#exclusively(async () => {
      await pause(this.#config().delays.reveal_ms);
      this.#island.showNewer();
      // Rows that are put in below may leave the position as it is, and then no scroll event tells of the distance.
      this.#release();
    });
  }

  async #exclusively(work) {
    this.#isBusy = true;
    try {
      await work();
    } finally {
      this.#isBusy = false;
    }
  }

  /** Mount the next rows above: those that are loaded already, else a page from storage. */
  async older() {
    if (this.#island.hasMoreAbove) await pause(this.#config().delays.reveal_ms);
    else {
      this.#topBlock.loading();
      await pause(this.#config().delays.page_load_ms);
      const { entries, hasMore } = await this.#loadPage();
      this.hasMoreStored = hasMore;
      this.#island.prepend(entries);
    }
    if (this.#island.hasMoreAbove) this.#island.showOlder();
    this.#placedAt = this.#scroller.scrollTop;
    this.#topBlock.settle(this.#isComplete);
  }

  get #isComplete() {
    return !this.hasMoreStored && !this.#island.hasMoreAbove;
  }
}
