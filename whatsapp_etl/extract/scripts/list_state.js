// What stands between the reader and the whole chat list.
async (args) => {
  const search = one(document, 'search_box');
  const filter = one(document, 'filter_all');
  const archived = one(document, 'archived_list');
  return JSON.stringify({
    has_search: Boolean(search && clean(search.value === undefined ? search.textContent : search.value)),
    is_filtered: Boolean(filter && isVisible(filter) && filter.getAttribute('aria-selected') !== 'true'),
    is_archived: Boolean(archived && isVisible(archived)),
    has_drawer: all(document, 'drawer_back').some(isVisible),
    hits,
  });
}
