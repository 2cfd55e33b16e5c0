// Wait until the rows show their pictures' bytes, or it is plain that they will not.
async (args) => {
  const rowId = args.parts.attribute.message_id;
  const main = one(document, 'conversation');
  const wanted = new Set(args.ids);
  const rows = main ? all(main, 'message_row').filter((row) => wanted.has(row.getAttribute(rowId))) : [];
  const emptyCss = candidatesOf('empty_body').join(',');
  const stateOf = (row) => {
    if (!row.isConnected) return 'gone';
    if (row.querySelector(emptyCss)) return 'waiting';
    const places = placesOf(row).length;
    const loaded = blobsOf(row).length;
    // An album has several places, and each is waited for.
    if (loaded > 0 && loaded >= places) return 'loaded';
    if (one(row, 'media_download') || one(row, 'media_failed') || one(row, 'sticker_drawn')) return 'not_loaded';
    return places > 0 ? 'waiting' : 'none';
  };
  // A picture is fetched when its row comes near the screen: pass by all of them, then wait for each.
  const end = performance.now() + args.deadline_ms;
  const isNear = (row) => {
    const box = row.getBoundingClientRect();
    return box.bottom > 0 && box.top < window.innerHeight;
  };
  for (const row of rows) {
    if (stateOf(row) !== 'waiting' || isNear(row)) continue;
    row.scrollIntoView({ block: 'center' });
    // What is near the screen is told to the page once the frame is drawn, in a task of its own.
    await frame();
    await new Promise((resolve) => setTimeout(resolve));
  }
  for (const row of rows) {
    if (stateOf(row) !== 'waiting') continue;
    if (!isNear(row)) row.scrollIntoView({ block: 'center' });
    await until(() => stateOf(row) !== 'waiting', Math.max(0, end - performance.now()));
  }

  const urls = {};
  const unseen = [];
  const refused = [];
  const offered = [];
  for (const row of rows) {
    const state = stateOf(row);
    const found = state === 'gone' || row.querySelector(emptyCss) ? [] : blobsOf(row);
    urls[row.getAttribute(rowId)] = found;
    if (found.length === 0 && (state === 'none' || state === 'waiting')) unseen.push(row.getAttribute(rowId));
    if (state !== 'not_loaded') continue;
    if (one(row, 'media_download')) offered.push(row.getAttribute(rowId));
    else if (one(row, 'media_failed')) refused.push(row.getAttribute(rowId));
  }
  return JSON.stringify({ urls, unseen, refused, offered, hits });
}
