// The id of the newest row shown, or null.
async (args) => {
  const main = one(document, 'conversation');
  const last = main ? all(main, 'message_row').at(-1) : null;
  return JSON.stringify({ newest: last ? last.getAttribute(args.parts.attribute.message_id) : null, hits });
}
