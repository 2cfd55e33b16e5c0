// Pictures sent together are messages of their own and one row on the page.

import { stanzaOf } from "./keys.js";

const FEWEST = 4; // fewer stand one by one

/** The entries with each album's pictures, which follow one another, as one entry of `{row, sender, children}`. */
export function folded(entries) {
  const result = [];
  for (const group of grouped(entries)) {
    const [first] = group;
    const children = group.flatMap((entry) => entry.children ?? [entry.row]);
    if (children.length < FEWEST) result.push(...group);
    else result.push({ ...first, row: { ...children[0], type: "album" }, children, reactions: [] });
  }
  return result;
}

function grouped(entries) {
  const groups = [];
  for (const entry of entries) {
    const album = entry.row.type === "image" || entry.children ? entry.row.body.album : null;
    const last = groups.at(-1);
    if (album && last?.album === album) last.entries.push(entry);
    else groups.push({ album, entries: [entry] });
  }
  return groups.map((group) => group.entries);
}

/** Rows of storage, newest first, without the pictures of an album that goes on beyond `next`. */
export function wholeAlbums(rows, next) {
  const album = next?.body?.album;
  let end = rows.length;
  while (album && end > 1 && rows[end - 1].body.album === album) end -= 1;
  return rows.slice(0, end);
}

/** The id of an album's row: its first and last message, and how many they are. */
export function albumId(children) {
  return `album-${stanzaOf(children[0].id)}-${stanzaOf(children.at(-1).id)}-${children.length}`;
}
