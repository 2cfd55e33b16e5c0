// What stands between the reader and the whole chat list. With `before` it waits for a change.
async (args) => {
  const look = () => {
    const search = one(document, 'search_box');
    const filter = one(document, 'filter_all');
    const archived = one(document, 'archived_list');
    return {
      has_search: Boolean(search && clean(search.value === undefined ? search.textContent : search.value)),
      is_filtered: Boolean(filter && isVisible(filter) && !one(document, 'filter_all_on')),
      is_archived: Boolean(archived && isVisible(archived)),
      has_archive: all(document, 'archived_button').some(isVisible),
    };
  };
  if (args.before) {
    const before = args.before;
    await until(() => {
      const now = look();
      return Object.keys(now).some((name) => now[name] !== before[name]);
    }, args.deadline_ms);
  }
  return JSON.stringify({ ...look(), hits });
}
