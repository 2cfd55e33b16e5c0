// One table of the client's storage as its own scripts read it: indexes by the names of their columns, rows decrypted.
//
// The calls and their options are the client's own; only those that read are here.

import { result } from "./database.js";

const OPAQUE = "msgRowOpaqueData"; // the one encrypted column, of the table `message`
const GREATEST = [[]]; // above every key of the rows: an array sorts behind numbers and texts

class NamedError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

/** Reads of one object store. */
export class Table {
  #source;

  /**
   * @param {string} name the object store
   * @param {{database: () => IDBDatabase|null, decrypt: (opaque: object) => Promise<ArrayBuffer>,
   *   admit: (name: string, rows: object[]|number) => Promise<object[]|number>}} source what the page has, and what
   *   becomes of an answer before it is given
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
    const store = this.#store();
    const rows = await Promise.all(keys.map((key) => result(store.get(key))));
    return this.#viewed(rows, shouldDecrypt);
  }

  /** All rows, by primary key or by `options.index`. */
  async all(options = {}, until = null) {
    const source = this.#index(options?.index ?? [":id"]);
    return this.#answer(await walk(source.of, null, options, until), options);
  }

  async allPrimaryKeys() {
    return this.all({ returnKeyType: "primary_key" });
  }

  async count() {
    return this.#source.admit(this.name, await result(this.#store().count()));
  }

  /** Rows whose column, or columns, have this value. */
  async equals(columns, value, options = {}) {
    const { of, isPrefix } = this.#index(columns);
    return this.#answer(await walk(of, rangeOf(value, value, isPrefix), options), options);
  }

  async equalsPrimaryKeys(columns, value, options = {}) {
    return this.equals(columns, value, { ...options, returnKeyType: "primary_key" });
  }

  /** Rows that have one of these values, each once. */
  async anyOf(columns, values, options = {}) {
    return this.inAnyRange(
      columns,
      values.map((value) => [value, value]),
      { ...options, includesUpper: true },
    );
  }

  /** Rows in one of these ranges `[lower, upper)`, each once. */
  async inAnyRange(columns, ranges, options = {}) {
    const { of, isPrefix } = this.#index(columns);
    const store = this.#store();
    const { includesUpper = false, limit = Infinity, offset = 0, reverse = false } = options;
    const sorted = [...ranges].sort((one, other) => indexedDB.cmp(one[0], other[0]) * (reverse ? -1 : 1));
    const found = new Map();
    for (const [lower, upper] of sorted) {
      const range = rangeOf(lower, upper, isPrefix, false, !includesUpper);
      for (const row of range ? await walk(of, range, { reverse }) : []) {
        found.set(JSON.stringify(keyIn(row, store)), row);
      }
      if (found.size >= offset + limit) break;
    }
    return this.#answer([...found.values()].slice(offset, offset + limit), options);
  }

  async startsWithAnyOf(columns, prefixes, options = {}) {
    return this.inAnyRange(
      columns,
      prefixes.map((prefix) => [prefix, `${prefix}\uffff`]),
      options,
    );
  }

  /** Rows above a value (`inclusive`: or at it). */
  async greaterThan(columns, value, options = {}) {
    const { of, isPrefix } = this.#index(columns);
    const from = isPrefix && !options?.inclusive ? [...[value].flat(), GREATEST] : value;
    return this.#answer(await walk(of, IDBKeyRange.lowerBound(from, !options?.inclusive), options), options);
  }

  /** Rows below a value (`inclusive`: or at it). */
  async lessThan(columns, value, options = {}) {
    const { of, isPrefix } = this.#index(columns);
    const to = isPrefix && options?.inclusive ? [...[value].flat(), GREATEST] : value;
    return this.#answer(await walk(of, IDBKeyRange.upperBound(to, !options?.inclusive), options), options);
  }

  /** Rows between two values, without both unless `lowerInclusive` or `upperInclusive` is said. */
  async between(columns, lower, upper, options = {}, until = null, filter = null) {
    const { of, isPrefix } = this.#index(columns);
    const range = rangeOf(lower, upper, isPrefix, !options?.lowerInclusive, !options?.upperInclusive);
    return this.#answer(range ? await walk(of, range, options, until, filter) : [], options);
  }

  async betweenCount(columns, lower, upper, options = {}) {
    const { of, isPrefix } = this.#index(columns);
    const range = rangeOf(lower, upper, isPrefix, !options?.lowerInclusive, !options?.upperInclusive);
    return this.#source.admit(this.name, range ? await result(of.count(range)) : 0);
  }

  #store() {
    const database = this.#source.database();
    if (!database) throw new Error("Storage must be initialized before accessing a table!");
    return database.transaction(this.name, "readonly").objectStore(this.name);
  }

  /** The index of these columns, or one that begins with them. */
  #index(columns) {
    const store = this.#store();
    const names = [columns].flat();
    const key = [store.keyPath].flat().join("+");
    if (names[0] === ":id" || names.join("+") === key) return { of: store, isPrefix: false };
    const wanted = names.length === 1 ? names[0] : `[${names.join("+")}]`;
    if (store.indexNames.contains(wanted)) return { of: store.index(wanted), isPrefix: false };
    const longer = [...store.indexNames].find((name) => name.startsWith(`[${names.join("+")}+`));
    if (longer) return { of: store.index(longer), isPrefix: true };
    throw new NamedError("SchemaError", `KeyPath ${wanted} on object store ${this.name} is not indexed`);
  }

  async #answer(rows, options) {
    const type = options?.returnKeyType;
    if (!type) return this.#viewed(rows, options?.shouldDecrypt ?? true);
    const of = type === "keys" ? this.#index(options.index ?? [":id"]).of : this.#store();
    return this.#source.admit(this.name, rows.map((row) => keyIn(row, of)));
  }

  async #viewed(rows, shouldDecrypt) {
    const viewed = rows.map(async (row) => {
      if (row === undefined) return null;
      if (!shouldDecrypt || !row[OPAQUE]?._data) return row;
      return { ...row, [OPAQUE]: await this.#source.decrypt(row[OPAQUE]) };
    });
    return this.#source.admit(this.name, await Promise.all(viewed));
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
  if (order > 0 || (order === 0 && (excludesLower || excludesUpper))) return null;
  return IDBKeyRange.bound(from, to, excludesLower, excludesUpper);
}

function keyIn(row, of) {
  const path = of.keyPath;
  return Array.isArray(path) ? path.map((column) => row[column]) : row[path];
}
