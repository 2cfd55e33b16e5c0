// Says which account is linked, from what the client itself keeps: the ids in localStorage, the name
// there or in the contact store. Every part may be missing and is then null. Reads only; a database
// that is not there is not created.
async (args) => {
  const ANSWER_MS = 5000;

  const stored = (key) => {
    const text = window.localStorage.getItem(key);
    if (text === null) return null;
    try {
      const value = JSON.parse(text);
      return typeof value === "string" ? value : null;
    } catch {
      return text;
    }
  };

  // "15550001111:12@s.whatsapp.net" is the account "15550001111@c.us" on its 12th device.
  const plainId = (text) => {
    const parts = /^(?<user>[^:@.]+)(?:\.\d+)?(?::\d+)?@(?<server>.+)$/.exec(text ?? "");
    if (parts === null) return null;
    const { user, server } = parts.groups;
    return `${user}@${server === "s.whatsapp.net" ? "c.us" : server}`;
  };

  const request = (made) => new Promise((resolve, reject) => {
    made.onsuccess = () => resolve(made.result);
    made.onerror = () => reject(made.error);
    made.onblocked = () => reject(new Error("blocked"));
    setTimeout(() => reject(new Error("no answer")), ANSWER_MS);
  });

  const contacts = async (own) => {
    const known = await indexedDB.databases();
    if (!known.some((database) => database.name === args.database)) return {};
    const database = await request(indexedDB.open(args.database));
    try {
      if (!database.objectStoreNames.contains("contact")) return {};
      const store = database.transaction("contact", "readonly").objectStore("contact");
      const mine = await request(store.get(own));
      const all = mine && mine.lid ? [] : await request(store.getAll());
      return { mine, lidRow: all.find((row) => String(row.id).endsWith("@lid") && idText(row.phoneNumber) === own) };
    } finally {
      database.close();
    }
  };

  // The client keeps the own LID with the device part, under a key that has changed names.
  const storedLid = () => Object.keys(window.localStorage).map(stored).find((text) => /^\d+:\d+@lid$/.test(text ?? ""));

  const idText = (value) => plainId(typeof value === "string" ? value : value?._serialized);

  const id = plainId(stored("last-wid-md")) ?? plainId(stored("last-wid"));
  if (id === null) return JSON.stringify(null);
  let rows = {};
  try {
    rows = await contacts(id);
  } catch {
    // The store is an enrichment: the id in localStorage stands without it.
  }
  return JSON.stringify({
    id,
    lid: plainId(storedLid()) ?? idText(rows.mine?.lid) ?? idText(rows.lidRow?.id),
    push_name: stored("me-display-name") ?? rows.mine?.pushname ?? rows.mine?.name ?? null,
  });
}
