// Pictures sent together are messages of their own and one row on the page; so are two stickers in some accounts.

import { isOwn, stanzaOf } from "./keys.js";

const FEWEST = 4; // pictures; fewer stand one by one
const STICKERS = 2;

/**
 * The entries with those that stand in one row as one entry of `{row, sender, children}`: each album's pictures, which
 * follow one another, and where `pairsStickers` each two stickers of one sender.
 */
export function folded(entries, { pairsStickers }) {
  const result = [];
  for (const group of grouped(entries, pairsStickers)) {
    const type = typeOf(group);
    const children = group.map((entry) => entry.row);
    if (type) result.push({ ...group[0], row: { ...children[0], type }, children, reactions: [] });
    else result.push(...group);
  }
  return result;
}

function typeOf(group) {
  if (group[0].row.type === "sticker") return group.length === STICKERS ? "sticker_pair" : null;
  return group.length >= FEWEST ? "album" : null;
}

function grouped(entries, pairsStickers) {
  const groups = [];
  for (const entry of entries) {
    const name = nameOf(entry, pairsStickers);
    const last = groups.at(-1);
    const isFull = entry.row.type === "sticker" && last?.entries.length === STICKERS;
    if (name && last?.name === name && !isFull) last.entries.push(entry);
    else groups.push({ name, entries: [entry] });
  }
  return groups.map((group) => group.entries);
}

// What entries that stand in one row have in common.
function nameOf({ row, sender }, pairsStickers) {
  if (row.type === "image") return row.body.album;
  return pairsStickers && row.type === "sticker" ? `${isOwn(row)} ${sender.jid}` : null;
}

/** Rows of storage, newest first, without the pictures of an album that goes on beyond `next`. */
export function wholeAlbums(rows, next) {
  const album = next?.body?.album;
  let end = rows.length;
  while (album && end > 1 && rows[end - 1].body.album === album) end -= 1;
  return rows.slice(0, end);
}

/** The id of a row that stands for several messages: its first and last one, and how many they are. */
export function albumId({ row, children }) {
  const what = row.type === "album" ? "album" : "grouped-sticker";
  return `${what}-${stanzaOf(children[0].id)}-${stanzaOf(children.at(-1).id)}-${children.length}`;
}
