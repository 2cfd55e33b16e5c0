// The first download button of one row, or null.
async (args) => {
  const rowId = args.parts.attribute.message_id;
  const main = one(document, 'conversation');
  const row = main && all(main, 'message_row').find((each) => each.getAttribute(rowId) === args.id);
  return row ? one(row, 'media_download') : null;
}
