// The key of the message bodies as the client's scripts wait for it: it comes after the login, or never.

class DbMsgEncKeyNotLoaded extends Error {
  constructor(table) {
    super(`key not loaded: ${table}`);
    this.name = "DbMsgEncKeyNotLoaded";
  }
}

export class KeyStore {
  #cipher = null;
  #came;
  #promise = new Promise((resolve) => {
    this.#came = resolve;
  });

  /** The key is there. */
  take(cipher) {
    this.#cipher = cipher;
    this.#came();
  }

  /** Resolves once the key is there. */
  waitForFinalDbMsgEncKey() {
    return this.#promise;
  }

  getDbMsgEncKeys({ tableName }) {
    if (!this.#cipher) throw new DbMsgEncKeyNotLoaded(tableName);
    return [{ id: 1, key: this.#cipher.key }];
  }
}

/** Decrypt with the key of a store, of which only the page's own scripts know the cipher. */
export function decryptWith(keys, cipher, opaque) {
  keys.getDbMsgEncKeys({ tableName: "message" });
  return cipher.decrypt(opaque);
}
