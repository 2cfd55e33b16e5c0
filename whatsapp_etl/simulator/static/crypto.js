// Message bodies are encrypted before they are stored: a copied profile shows who wrote when, never what.
// The key comes with the login, cannot be exported, and is held in memory only.

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** Return the bytes of a base64 text. */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Encrypts and decrypts message bodies with the account's key. */
export class BodyCipher {
  #key;

  constructor(key) {
    this.#key = key;
  }

  /** @param {string} base64Key 32 bytes, as the server sends them after login. */
  static async from(base64Key) {
    const key = await crypto.subtle.importKey("raw", bytesOf(base64Key), "AES-CBC", false, ["encrypt", "decrypt"]);
    return new BodyCipher(key);
  }

  /** The key itself, which cannot be exported. */
  get key() {
    return this.#key;
  }

  /** Return the value of the column `msgRowOpaqueData`. */
  async seal(body) {
    const iv = crypto.getRandomValues(new Uint8Array(16));
    const data = await crypto.subtle.encrypt({ name: "AES-CBC", iv }, this.#key, utf8.encode(JSON.stringify(body)));
    return { _data: data, iv, _keyId: 1, _scheme: 1 };
  }

  /** Return the body that `seal` was given; `{}` for a row that has none. */
  async open(opaque) {
    return opaque ? parsedBody(await this.decrypt(opaque)) : {};
  }

  /** Return the bytes that a value of the column `msgRowOpaqueData` hides. */
  decrypt(opaque) {
    return crypto.subtle.decrypt({ name: "AES-CBC", iv: opaque.iv }, this.#key, opaque._data);
  }
}

/** The body that these bytes spell. */
export function parsedBody(bytes) {
  return JSON.parse(fromUtf8.decode(bytes));
}
