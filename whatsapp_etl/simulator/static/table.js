// One table of the client's storage as its own scripts read it: indexes by the names of their columns, rows decrypted.
//
// The calls and their options are the client's own; only those that read are here.

import { result } from "./database.js";
import { renamed } from "./store.js";

const OPAQUE = "msgRowOpaqueData"; // the one encrypted column, of the table `message`
const PRIMARY = ":id";
const NOTHING = false; // a range in which nothing can lie
const GREATEST = [[]]; // above every key of the rows: an array sorts behind numbers and texts

class SchemaError extends Error {
  name = "SchemaError";
}

/**
 * Reads of one object store.
 *
 * @typedef {object} Source
 * @property {() => IDBDatabase|null} database
 * @property {(opaque: object) => Promise<ArrayBuffer>} decrypt
 * @property {(name: string) => Record<string, string>} columns what columns are called towards scripts, by their own names
 * @property {(name: string) => Promise<((row: object) => boolean)|null>} begin called before each read; which rows it sees
 */
export class Table {
  #source;

  /**
   * @param {string} name the object store
   * @param {Source} source
   */
  constructor(name, source) {
    this.name = name;
    this.#source = source;
  }

  /** One row by its primary key; null when there is none. */
  async get(key, shouldDecrypt = true) {
    return (await this.bulkGet([key], shouldDecrypt))[0];
  }

  /** The rows of these primary keys, null for each that there is none. */
  async bulkGet(keys, shouldDecrypt = true) {
    const sees = await this.#source.begin(this.name);
    const store = this.#store();
    const rows = await Promise.all(keys.map((key) => result(store.get(key))));
    return this.#viewed(rows.map((row) => (row && sees && !sees(row) ? undefined : row)), shouldDecrypt);
  }

  /** All rows, by primary key or by `options.index`. */
  async all(options = {}, until = null) {
    return this.#answer(await this.#rows(options?.index ?? PRIMARY, () => null, options, until), options);
  }

  async allPrimaryKeys() {
    return this.all({ returnKeyType: "primary_key" });
  }

  async count() {
    const sees = await this.#source.begin(this.name);
    const store = this.#store();
    return sees ? (await walk(store, null, {}, null, sees)).length : result(store.count());
  }

  /** Rows whose column, or columns, have this value. */
  async equals(columns, value, options = {}) {
    return this.#answer(await this.#rows(columns, (isPrefix) => rangeOf(value, value, isPrefix), options), options);
  }

  async equalsPrimaryKeys(columns, value, options = {}) {
    return this.equals(columns, value, { ...options, returnKeyType: "primary_key" });
  }

  /** Rows that have one of these values, each once. */
  async anyOf(columns, values, options = {}) {
    const ranges = values.map((value) => [value, value]);
    return this.#answer(await this.#inRanges(columns, ranges, options, true), options);
  }

  /** Rows in one of these ranges `[lower, upper)`, each once. */
  async inAnyRange(columns, ranges, options = {}) {
    return this.#answer(await this.#inRanges(columns, ranges, options, false), options);
  }

  async startsWithAnyOf(columns, prefixes, options = {}) {
    const ranges = prefixes.map((prefix) => [prefix, `${prefix}\uffff`]);
    return this.#answer(await this.#inRanges(columns, ranges, options, false), options);
  }

  /** Rows above a value (`inclusive`: or at it). */
  async greaterThan(columns, value, options = {}) {
    const isWith = Boolean(options?.inclusive);
    const range = (isPrefix) =>
      IDBKeyRange.lowerBound(isPrefix && !isWith ? [...[value].flat(), GREATEST] : value, !isWith);
    return this.#answer(await this.#rows(columns, range, options), options);
  }

  /** Rows below a value (`inclusive`: or at it). */
  async lessThan(columns, value, options = {}) {
    const isWith = Boolean(options?.inclusive);
    const range = (isPrefix) =>
      IDBKeyRange.upperBound(isPrefix && isWith ? [...[value].flat(), GREATEST] : value, !isWith);
    return this.#answer(await this.#rows(columns, range, options), options);
  }

  /** Rows between two values, without both unless `lowerInclusive` or `upperInclusive` is said. */
  async between(columns, lower, upper, options = {}, until = null, filter = null) {
    const range = (isPrefix) =>
      rangeOf(lower, upper, isPrefix, !options?.lowerInclusive, !options?.upperInclusive);
    return this.#answer(await this.#rows(columns, range, options, until, filter), options);
  }

  async betweenCount(columns, lower, upper, options = {}) {
    return (await this.between(columns, lower, upper, { ...options, returnKeyType: "primary_key" })).length;
  }

  async #rows(columns, rangeFor, options, until = null, filter = null) {
    const sees = await this.#source.begin(this.name);
    const { of, isPrefix } = this.#index(columns);
    const range = rangeFor(isPrefix);
    if (range === NOTHING) return [];
    const passes = sees && filter ? (row) => sees(row) && filter(row) : (sees ?? filter);
    return walk(of, range, options, until, passes);
  }

  async #inRanges(columns, ranges, options, includesUpper) {
    const { limit = Infinity, offset = 0, reverse = false } = options ?? {};
    const order = reverse ? -1 : 1;
    const found = new Map();
    for (const [lower, upper] of [...ranges].sort((one, other) => indexedDB.cmp(one[0], other[0]) * order)) {
      const range = (isPrefix) => rangeOf(lower, upper, isPrefix, false, !includesUpper);
      const rows = await this.#rows(columns, range, { reverse });
      const { keyPath } = this.#store();
      for (const row of rows) found.set(JSON.stringify(keyIn(row, keyPath)), row);
      if (found.size >= offset + limit) break;
    }
    return [...found.values()].slice(offset, offset + limit);
  }

  #store() {
    const database = this.#source.database();
    if (!database) throw new Error("Storage must be initialized before accessing a table!");
    return database.transaction(this.name, "readonly").objectStore(this.name);
  }

  /** The index of these columns, or one that begins with them. */
  #index(columns) {
    const store = this.#store();
    const names = [columns].flat().map((name) => this.#ownName(name));
    const primary = [store.keyPath].flat().join("+");
    if (names[0] === PRIMARY || names.join("+") === primary) return { of: store, isPrefix: false };
    const wanted = names.length === 1 ? names[0] : `[${names.join("+")}]`;
    if (store.indexNames.contains(wanted)) return { of: store.index(wanted), isPrefix: false };
    const longer = [...store.indexNames].find((name) => name.startsWith(`[${names.join("+")}+`));
    if (longer) return { of: store.index(longer), isPrefix: true };
    throw new SchemaError(`KeyPath ${wanted} on object store ${this.name} is not indexed`);
  }

  /** The column's own name; one that has another now is unknown under it. */
  #ownName(name) {
    const columns = this.#source.columns(this.name);
    const own = Object.keys(columns).find((each) => columns[each] === name);
    return own ?? (name in columns ? `${name} (renamed)` : name);
  }

  #answer(rows, options) {
    const type = options?.returnKeyType;
    if (!type) return this.#viewed(rows, options?.shouldDecrypt ?? true);
    const { keyPath } = type === "keys" ? this.#index(options.index ?? PRIMARY).of : this.#store();
    return rows.map((row) => keyIn(row, keyPath));
  }

  /** The rows as scripts get them. */
  #viewed(rows, shouldDecrypt) {
    const columns = this.#source.columns(this.name);
    if (!shouldDecrypt) return rows.map((row) => (row === undefined ? null : renamed(row, columns)));
    const viewed = rows.map(async (row) => {
      if (row === undefined) return null;
      // The row is a copy of what is stored, as a read gives it.
      if (row[OPAQUE]?._data) row[OPAQUE] = await this.#source.decrypt(row[OPAQUE]);
      return renamed(row, columns);
    });
    return Promise.all(viewed);
  }
}

/** Go through a store or an index in order; `until` ends it after the row for which it is true. */
async function walk(of, range, options, until = null, filter = null) {
  const { limit = Infinity, offset = 0, reverse = false } = options ?? {};
  if (limit <= 0) return [];
  if (!reverse && !until && !filter && !offset) {
    return result(of.getAll(range, limit === Infinity ? undefined : limit));
  }
  const rows = [];
  let passed = 0;
  const request = of.openCursor(range, reverse ? "prev" : "next");
  await new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return resolve();
      const row = cursor.value;
      if (!filter || filter(row)) {
        if (passed >= offset) rows.push(row);
        passed += 1;
      }
      if (rows.length >= limit || until?.(row)) return resolve();
      return cursor.continue();
    };
  });
  return rows;
}

function rangeOf(lower, upper, isPrefix, excludesLower = false, excludesUpper = false) {
  const from = isPrefix && excludesLower ? [...[lower].flat(), GREATEST] : isPrefix ? [lower].flat() : lower;
  const to = isPrefix ? [...[upper].flat(), ...(excludesUpper ? [] : [GREATEST])] : upper;
  const order = indexedDB.cmp(from, to);
  if (order > 0 || (order === 0 && (excludesLower || excludesUpper))) return NOTHING;
  return IDBKeyRange.bound(from, to, excludesLower, excludesUpper);
}

function keyIn(row, keyPath) {
  return Array.isArray(keyPath) ? keyPath.map((column) => row[column]) : row[keyPath];
}
