// Wait until the rows show their pictures' bytes, or it is plain that they will not.
async (args) => {
  const rowId = args.parts.attribute.message_id;
  const main = one(document, 'conversation');
  const wanted = new Set(args.ids);
  const rows = main ? all(main, 'message_row').filter((row) => wanted.has(row.getAttribute(rowId))) : [];
  const stateOf = (row) => {
    if (!row.isConnected) return 'gone';
    const urls = all(row, 'image_bytes').map((image) => image.src).filter((src) => src.startsWith('blob:'));
    if (urls.length > 0) return urls;
    if (!one(row, 'image_thumb')) return 'none';
    return one(row, 'media_download') ? 'not_loaded' : 'waiting';
  };
  await until(() => rows.every((row) => stateOf(row) !== 'waiting'), args.deadline_ms);
  const images = {};
  for (const row of rows) {
    const state = stateOf(row);
    images[row.getAttribute(rowId)] = Array.isArray(state) ? { urls: state } : { state };
  }
  return JSON.stringify({ images, hits });
}
