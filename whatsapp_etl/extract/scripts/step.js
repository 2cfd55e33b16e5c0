// One step of the walk up a conversation: scroll if asked, wait for what comes, and return the rows
// that are new and have content, with the facts that only a live page has.
async (args) => {
  const rowId = args.parts.attribute.message_id;
  const main = one(document, 'conversation');
  const scroller = main && one(main, 'message_scroller');
  const list = main && one(main, 'message_list');
  if (!scroller || !list) return JSON.stringify({ gone: true, hits });

  const title = () => titleText(one(main, 'conversation_title'));
  const idOf = (row) => row.getAttribute(rowId);
  // Albums hold rows of their own: the outermost one is the message.
  const rowsOf = () =>
    all(list, 'message_row').filter((row) => !row.parentElement.closest(`[${rowId}]`) || !list.contains(row.parentElement.closest(`[${rowId}]`)));
  const emptyCss = candidatesOf('empty_body').join(',');
  const isEmpty = (row) => row.matches(emptyCss) || Boolean(row.querySelector(emptyCss));
  const firstId = () => {
    const first = all(list, 'message_row')[0];
    return first ? idOf(first) : null;
  };

  const seen = new Set(args.seen);
  const captured = new Map();
  const looks = []; // all that stood there at each look: a row may leave before the step ends

  const modelOf = (row) =>
    fiberOf(row, (props) => {
      const message = props.msg;
      if (!message || !message.id) return null;
      return {
        key: idText(message.id),
        t: typeof message.t === 'number' ? message.t : null,
        type: typeof message.type === 'string' ? message.type : null,
        author: idText(message.author) || idText(message.from),
      };
    });

  const alignmentOf = (row) => {
    const bubble = shows(row, 'bubble') ? row : one(row, 'bubble');
    return bubble ? getComputedStyle(bubble).alignItems : null;
  };

  // At which end of its line the bubble is drawn, however the page puts it there: the first thing inside
  // the row that is plainly narrower than the row.
  const sideOf = (row) => {
    const whole = row.getBoundingClientRect();
    let inner = row;
    let box = whole;
    for (let depth = 0; depth < 12 && box.width > whole.width * 0.92; depth += 1) {
      const drawn = Array.from(inner.children).filter((child) => child.getClientRects().length > 0);
      if (drawn.length === 0) return null;
      inner = drawn.reduce((a, b) => (a.getBoundingClientRect().width >= b.getBoundingClientRect().width ? a : b));
      box = inner.getBoundingClientRect();
    }
    const before = box.left - whole.left;
    const after = whole.right - box.right;
    if (box.width > whole.width * 0.92 || Math.abs(before - after) < whole.width * 0.04) return null;
    return before > after === (getComputedStyle(row).direction !== 'rtl') ? 'end' : 'start';
  };

  // Blurred previews and emoji sprites are most of a row's length and tell nothing.
  const htmlOf = (row) => row.outerHTML.replace(/data:[^"'\s)]{200,}/g, 'data:…');

  // How many pictures a row stands for: those that it has a place for, and as many as its "+N" says.
  const picturesIn = (row) => {
    const places = all(row, 'image_thumb').length;
    if (places < 2) return places;
    const words = Array.from(row.querySelectorAll('*')).filter((node) => node.childElementCount === 0);
    const more = words.map((node) => /^\+(\d+)$/.exec(node.textContent.trim())).find(Boolean);
    return places + (more ? Number(more[1]) : 0);
  };

  const capture = () => {
    let marker = null;
    // Exactly the rows that are told as shown: one that is not would be brought by each step anew.
    const standing = rowsOf();
    looks.push(standing.map(idOf));
    for (const block of list.children) {
      const rows = standing.filter((row) => block.contains(row));
      if (rows.length === 0) {
        const words = one(block, 'date_marker');
        // A sticky copy floats above while the one in the flow is hidden: read text, not what is drawn.
        if (words && !one(block, 'unread_divider')) marker = clean(words.textContent);
        continue;
      }
      rows.forEach((row, position, run) => {
        const id = idOf(row);
        if (!id || seen.has(id) || captured.has(id) || isEmpty(row) || (args.only && id !== args.only)) return;
        const alignment = alignmentOf(row);
        captured.set(id, {
          id,
          html: htmlOf(row),
          alignment,
          side: /flex-|center/.test(alignment || '') ? null : sideOf(row),
          marker,
          position,
          head: idOf(run[0]),
          model: modelOf(row),
          is_cut: all(row, 'read_more').length > 0,
          pictures: picturesIn(row),
        });
      });
    }
  };
  const take = () => {
    if (args.capture) capture();
  };

  // --- what stands above the oldest row --------------------------------------------------------

  const topBlock = () => {
    let text = '';
    let hasButton = false;
    for (const block of scroller.children) {
      if (block.contains(list)) break;
      if (one(block, 'history_loading')) return 'loading';
      text += ` ${clean(block.textContent)}`;
      hasButton = hasButton || all(block, 'history_button').length > 0;
    }
    if (says(text, 'history_failed')) return 'failed';
    if (hasButton) return 'button';
    return text.trim() ? 'use_phone' : 'quiet';
  };

  // --- scrolling -------------------------------------------------------------------------------

  // A chat with unread messages opens above the newest rows: what stands there leaves on the way down, and comes
  // back on the way up.
  if (args.action !== 'expand' && args.action !== 'bottom') take();
  let loads = 0;
  let isQuiet = false;
  if (args.action === 'older' && captured.size > 0) {
    // Older rows came since the last step, for instance while a picture was waited for.
    loads = 1;
  } else if (args.action === 'older') {
    const before = firstId();
    // Loading is latched until the list has left the zone near the top: leave it, then return.
    const poke = async () => {
      scroller.scrollTop = 400;
      await frame();
      scroller.scrollTop = 0;
    };
    await poke();
    let quietSince = performance.now();
    let poked = quietSince;
    const end = performance.now() + args.deadline_ms;
    while (performance.now() < end) {
      if (firstId() !== before) {
        loads += 1;
        break;
      }
      if (topBlock() === 'loading') quietSince = performance.now();
      if (performance.now() - quietSince > args.quiet_ms) {
        isQuiet = true;
        break;
      }
      // The page looks at its place only every 100 ms and may have missed that it was left.
      if (topBlock() !== 'loading' && performance.now() - poked > args.quiet_ms / 4) {
        await poke();
        poked = performance.now();
      }
      await frame();
    }
  } else if (args.action === 'expand') {
    // A row far from view is empty, and drawn again it is cut again: bring it near first.
    const end = performance.now() + args.deadline_ms;
    const row = rowsOf().find((each) => idOf(each) === args.only);
    if (row) {
      row.scrollIntoView({ block: 'center' });
      await until(() => !row.isConnected || !isEmpty(row), args.deadline_ms);
      const more = () => (row.isConnected ? one(row, 'read_more') : null);
      while (more() && performance.now() < end) {
        const before = row.textContent.length;
        more().click();
        if (!(await until(() => !more() || row.textContent.length !== before, 1000))) break;
      }
    }
  } else if (args.action === 'phone') {
    const before = firstId();
    const answered = () => firstId() !== before || topBlock() === 'failed' || topBlock() === 'use_phone';
    if (await until(answered, args.deadline_ms)) loads += firstId() !== before ? 1 : 0;
  } else if (args.action === 'bottom') {
    let still = performance.now();
    let poked = still;
    let newest = null;
    const end = performance.now() + args.deadline_ms;
    // What is known to come is waited for as long as a quiet top is asked again.
    const patience = args.quiet_ms * (args.newest.length > 0 ? args.quiet_tries : 1);
    while (performance.now() < end && performance.now() - still < patience) {
      const ids = rowsOf().map(idOf).filter(Boolean);
      const last = ids.at(-1) ?? null;
      const distance = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
      if (last !== newest || distance > 4) {
        if (last !== newest) still = performance.now();
        newest = last;
        scroller.scrollTop = scroller.scrollHeight;
      }
      // Nothing else is wanted from below once all that may be the last one are shown.
      if (args.newest.length > 0 && args.newest.every((stanza) => ids.some((id) => id.includes(stanza)))) break;
      // Below, too, loading is latched: rows that are filled after they came do not tell the page that it was left.
      const bottom = scroller.scrollHeight - scroller.clientHeight;
      if (bottom > 800 && performance.now() - Math.max(poked, still) > args.quiet_ms / 4) {
        scroller.scrollTop = bottom - 400;
        await frame();
        scroller.scrollTop = scroller.scrollHeight;
        poked = performance.now();
      }
      await frame();
    }
  }

  // --- rows whose content is not drawn yet ------------------------------------------------------

  take();
  let empty = [];
  if (args.capture && !args.only) {
    const waiting = () => rowsOf().filter((row) => !seen.has(idOf(row)) && !captured.has(idOf(row)) && isEmpty(row));
    const end = performance.now() + args.empty_ms;
    if (waiting().length > 0) {
      await until(() => waiting().length === 0, Math.min(250, args.empty_ms));
      take();
    }
    for (const row of waiting().reverse()) {
      if (!row.isConnected) continue;
      row.scrollIntoView({ block: 'center' });
      await until(() => !row.isConnected || !isEmpty(row), Math.max(0, end - performance.now()));
      take();
    }
    empty = waiting().map(idOf);
  }

  // Pictures captured before that have come meanwhile, or plainly will not: no row waits for them.
  const pictures = {};
  const unseen = [];
  const refused = [];
  if (args.pictures.length > 0) {
    const wanted = new Set(args.pictures);
    for (const row of rowsOf().filter((each) => wanted.has(idOf(each)) && !isEmpty(each))) {
      const urls = blobsOf(row);
      const isOffered = one(row, 'media_download');
      const isRefused = one(row, 'media_failed');
      const isExplained = isOffered || isRefused || one(row, 'sticker_drawn');
      // A button is pressed, or its row let go, when the row is about to leave.
      if (isOffered && args.presses) continue;
      const places = placesOf(row).length;
      // An album has several places: the row is done when each has its picture.
      if ((urls.length > 0 && urls.length >= places) || isExplained || places === 0) pictures[idOf(row)] = urls;
      if (urls.length === 0 && !isExplained && places === 0) unseen.push(idOf(row));
      if (urls.length === 0 && isRefused && !isOffered) refused.push(idOf(row));
    }
  }

  return JSON.stringify({
    title: title(),
    pictures,
    unseen,
    refused,
    rows: Array.from(captured.values()),
    shown: rowsOf().map(idOf),
    looks,
    empty,
    top: topBlock(),
    loads,
    is_quiet: isQuiet,
    hits,
  });
}
