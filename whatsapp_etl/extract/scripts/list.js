// The rows of the chat list (or of the archived drawer) after scrolling it, from top to bottom.
async (args) => {
  const pane = () => one(document, args.archived ? 'archived_list' : 'chat_list');
  await until(pane, args.deadline_ms);
  const list = pane();
  if (!list) return JSON.stringify({ rows: null, hits });

  let scroller = list;
  while (scroller.parentElement && !/auto|scroll/.test(getComputedStyle(scroller).overflowY)) {
    scroller = scroller.parentElement;
  }
  const rowsOf = () =>
    all(list, 'chat_row')
      .map((row) => ({ row, box: row.getBoundingClientRect() }))
      .filter(({ box }) => box.height > 0)
      .sort((a, b) => a.box.top - b.box.top);
  // Rows are drawn after the scroll event: wait until they fill what can be seen of the list.
  const isFilled = () => {
    const pane = scroller.getBoundingClientRect();
    const whole = list.getBoundingClientRect();
    const top = Math.max(pane.top, whole.top);
    const bottom = Math.min(pane.bottom, whole.bottom);
    const rows = rowsOf();
    if (rows.length === 0) return bottom - top < 2;
    return rows[0].box.top <= top + 2 && rows[rows.length - 1].box.bottom >= bottom - 2;
  };
  if (args.row !== null && args.row !== undefined) {
    const first = rowsOf()[0];
    const height = first ? first.box.height : 72;
    const above = list.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
    scroller.scrollTop = Math.max(0, above + args.row * height - scroller.clientHeight / 2);
  } else if (args.top !== null && args.top !== undefined) {
    scroller.scrollTop = args.top;
  }
  await frame();
  await until(isFilled, args.deadline_ms);

  const above = list.getBoundingClientRect().top;
  const modelOf = (row) =>
    fiberOf(row, (props) => {
      const chat = [props.data && props.data.data, props.chat, props.data].find((c) => c && c.id);
      const id = chat && idText(chat.id);
      return id && id.includes('@') ? { id, unread: numberOf(chat.unreadCount), t: numberOf(chat.t) } : null;
    });
  const numberOf = (value) => (typeof value === 'number' ? value : null);
  // A badge without a number marks a chat that was set to unread by hand.
  const badgeOf = (row) => {
    const badge = one(row, 'chat_row_unread');
    return badge ? parseInt(clean(badge.textContent), 10) || -1 : 0;
  };
  const textOf = (element) => (element && clean(element.textContent)) || null;
  const previewOf = (row) => {
    const preview = one(row, 'chat_row_preview');
    return (preview && clean(preview.title || '')) || null;
  };
  const rows = rowsOf().map(({ row, box }) => {
    const model = modelOf(row);
    return {
      title: titleText(one(row, 'chat_row_title')),
      index: Math.round((box.top - above) / box.height),
      is_open: Boolean(one(row, 'chat_row_open')),
      chat: model && model.id,
      t: model && model.t,
      unread: model && model.unread !== null ? model.unread : badgeOf(row),
      badge: badgeOf(row),
      preview: previewOf(row),
      clock: textOf(one(row, 'chat_row_clock')),
      text: clean(row.textContent),
    };
  });
  const box = list.getBoundingClientRect();
  return JSON.stringify({
    drawn: rows.length,
    is_empty: box.height < 2 || !clean(list.textContent),
    rows: rows.filter((row) => row.title !== null && row.title !== ''),
    top: scroller.scrollTop,
    page: scroller.clientHeight,
    is_bottom: scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2,
    hits,
  });
}
