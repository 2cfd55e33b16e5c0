// Wait until the conversation clicked on is shown: its header, and rows with content.
async (args) => {
  const rowId = args.parts.attribute.message_id;
  const main = () => one(document, 'conversation');
  const title = () => titleText(main() && one(main(), 'conversation_title'));
  const rows = () => (main() ? all(main(), 'message_row') : []);
  const newest = () => {
    const last = rows().at(-1);
    return last ? last.getAttribute(rowId) : null;
  };
  // The page makes a new conversation element for another chat; until then the old one stands there.
  const isOther = () => args.is_same || main() !== args.previous || newest() !== args.previous_newest;
  const isEmpty = (row) => Boolean(row.querySelector(candidatesOf('empty_body').join(',')));
  const opened = await until(
    () => main() && isOther() && sameTitle(title(), args.title) && one(main(), 'message_scroller') &&
      one(main(), 'message_list') && rows().some((row) => !isEmpty(row)),
    args.deadline_ms,
  );
  // The list of the conversation shows something, but nothing in it is a message by any name known.
  const list = main() && sameTitle(title(), args.title) && one(main(), 'message_list');
  const hasRows = list && clean(list.textContent) ? rows().length > 0 : null;
  return JSON.stringify({
    opened: Boolean(opened),
    has_any: Boolean(main()),
    has_other: Boolean(main() && isOther()),
    has_rows: hasRows,
    title: title(),
    hits,
  });
}
