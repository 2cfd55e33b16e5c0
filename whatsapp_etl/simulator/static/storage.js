// The client's storage as its scripts ask for it: tables by name.

import { decryptWith } from "./key_store.js";
import { Table } from "./table.js";

/**
 * @param {{store: () => object|null}} page
 * @param {import("./key_store.js").KeyStore} keys
 */
export function createStorage(page, keys) {
  const tables = new Map();
  const source = {
    database: () => page.store()?.database ?? null,
    decrypt: async (opaque) => decryptWith(keys, page.store().cipher, opaque),
    admit: async (_name, answer) => answer,
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
