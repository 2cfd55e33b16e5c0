// The browser's database `model-storage`: opening, emptying, and promises around its requests.

export const NAME = "model-storage";
const OPEN_DEADLINE_MS = 20_000; // The real client logs itself out when its storage takes longer.

/** Storage did not open in time, or was refused. */
export class StorageUnavailableError extends Error {}

/** Return the result of an IndexedDB request. */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Return once a transaction is written. */
export function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Open the database, creating every object store and index at first. */
export async function openDatabase(name = NAME, version = null) {
  const schema = await (await fetch("/static/schema.json")).json();
  const request = indexedDB.open(name, version ?? schema.version);
  request.onupgradeneeded = () => createStores(request.result, schema.stores);
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new StorageUnavailableError("storage did not open in time")), OPEN_DEADLINE_MS);
  });
  const database = await Promise.race([result(request).catch((error) => reopened(error, name, schema)), late]);
  database.onversionchange = () => database.close();
  return database;
}

// A release that went back to an older version of the storage begins anew.
async function reopened(error, name, schema) {
  if (error.name !== "VersionError") throw error;
  await deleteDatabase(name);
  const request = indexedDB.open(name, schema.version);
  request.onupgradeneeded = () => createStores(request.result, schema.stores);
  return result(request);
}

/** Delete the database with everything in it. */
export async function deleteDatabase(name = NAME) {
  await result(indexedDB.deleteDatabase(name));
}

function createStores(database, stores) {
  for (const [name, { key, counts = false, indexes = {} }] of Object.entries(stores)) {
    if (database.objectStoreNames.contains(name)) continue;
    const store = database.createObjectStore(name, { keyPath: key, autoIncrement: counts });
    for (const [index, [keyPath, ...flags]] of Object.entries(indexes)) {
      store.createIndex(index, keyPath, { unique: flags.includes("unique"), multiEntry: flags.includes("multi") });
    }
  }
}
