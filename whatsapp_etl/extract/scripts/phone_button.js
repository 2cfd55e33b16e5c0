// The button above the oldest row that asks the phone for older messages, or null.
async (args) => {
  const main = one(document, 'conversation');
  const scroller = main && one(main, 'message_scroller');
  const list = main && one(main, 'message_list');
  if (!scroller || !list) return null;
  for (const block of scroller.children) {
    if (block.contains(list)) return null;
    const button = one(block, 'history_button');
    if (button) return button;
  }
  return null;
}
