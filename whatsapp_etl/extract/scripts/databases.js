// Opens every database of this origin and says how many have stores; -1 where one does not open. Reads only.
async () => {
  const ANSWER_MS = 10000;

  const stores = (name) => new Promise((resolve) => {
    const made = indexedDB.open(name);
    made.onsuccess = () => {
      const { length } = made.result.objectStoreNames;
      made.result.close();
      resolve(length);
    };
    made.onerror = made.onblocked = () => resolve(-1);
    setTimeout(() => resolve(-1), ANSWER_MS);
  });

  // A storage that Chromium cannot open lists nothing, or refuses.
  const databases = await indexedDB.databases().catch(() => []);
  const counts = await Promise.all(databases.map(({ name }) => stores(name)));
  return JSON.stringify(counts.includes(-1) ? -1 : counts.filter((count) => count > 0).length);
}
