// The client's storage as its scripts ask for it: tables by name, and what goes badly with them.

import { result } from "./database.js";
import { decryptWith } from "./key_store.js";
import { Table } from "./table.js";

const MESSAGES = "message";

/**
 * @param {{store: () => object|null, config: () => object}} page
 * @param {import("./key_store.js").KeyStore} keys
 */
export function createStorage(page, keys) {
  const tables = new Map();
  const troubles = new Troubles(page);
  const source = {
    database: () => page.store()?.database ?? null,
    decrypt: async (opaque) => decryptWith(keys, page.store().cipher, opaque),
    columns: (name) => (name === MESSAGES ? page.config().renamed_columns : {}),
    begin: (name) => troubles.begin(name),
  };
  return {
    /** The table of this name; nothing is read yet. */
    table(name) {
      const names = source.database()?.objectStoreNames;
      if (names && !names.contains(name)) {
        throw new Error(`Unknown table ${name} requested, ensure table is defined!`);
      }
      if (!tables.has(name)) tables.set(name, new Table(name, source));
      return tables.get(name);
    },
  };
}

/** What the configuration lets go badly with reads. */
class Troubles {
  #page;
  #reads = 0; // since some of them go badly
  #newest = null; // the last row that a table which stands still has

  constructor(page) {
    this.#page = page;
  }

  /** A read begins: it never settles, fails, or goes on; returns which rows it sees, null for all. */
  async begin(name) {
    const config = this.#page.config();
    const { hanging_reads: hanging, failing_reads: failing } = config;
    this.#reads = hanging === null && failing === null ? 0 : this.#reads + 1;
    if (hanging !== null && this.#reads > hanging) await new Promise(() => {});
    if (failing !== null && this.#reads > failing) throw closed();
    if (name !== MESSAGES) return null;
    if (config.table_empty) return () => false;
    if (!config.table_stands_still) {
      this.#newest = null;
      return null;
    }
    this.#newest ??= await this.#newestRow();
    return (row) => row.rowId <= this.#newest;
  }

  async #newestRow() {
    const store = this.#page.store().database.transaction(MESSAGES, "readonly").objectStore(MESSAGES);
    const cursor = await result(store.index("rowId").openCursor(null, "prev"));
    return cursor?.value.rowId ?? 0;
  }
}

function closed() {
  return Object.assign(new Error("Database has been closed"), { name: "DatabaseClosedError" });
}
