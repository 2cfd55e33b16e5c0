// The title element of one row of the chat list as seen just before, or null when it moved away.
async (args) => {
  const list = one(document, args.archived ? 'archived_list' : 'chat_list');
  if (!list) return null;
  const above = list.getBoundingClientRect().top;
  for (const row of all(list, 'chat_row')) {
    const box = row.getBoundingClientRect();
    const title = one(row, 'chat_row_title');
    if (box.height > 0 && Math.round((box.top - above) / box.height) === args.index && titleText(title) === args.title) {
      return title;
    }
  }
  return null;
}
