// Open "Read more" in one row until nothing is left to open. `left` says whether it is.
async (args) => {
  const rowId = args.parts.attribute.message_id;
  const main = one(document, 'conversation');
  const row = main && all(main, 'message_row').find((each) => each.getAttribute(rowId) === args.id);
  if (!row) return JSON.stringify({ gone: true, left: true, hits });
  const more = () => (row.isConnected ? one(row, 'read_more') : null);
  const end = performance.now() + args.deadline_ms;
  while (more() && performance.now() < end) {
    const before = row.textContent.length;
    more().click();
    if (!(await until(() => !more() || row.textContent.length !== before, 1000))) break;
  }
  return JSON.stringify({ gone: !row.isConnected, left: Boolean(more()), hits });
}
