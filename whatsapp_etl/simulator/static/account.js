// The login as the browser keeps it: localStorage beside IndexedDB, and one tab per profile.

const NOISE_INFO = "WANoiseInfo";
const LAST_ID = "last-wid-md";
const MUTEX = "whatsapp-mutex";

/** The token of the linked account; null when this profile is not linked. */
export function storedToken() {
  const stored = localStorage.getItem(NOISE_INFO);
  return stored ? (JSON.parse(stored).pubKey ?? null) : null;
}

export function storeLogin({ token, me }) {
  const [user, server] = me.id.split("@");
  localStorage.setItem(NOISE_INFO, JSON.stringify({ pubKey: token, recoveryToken: null }));
  localStorage.setItem(LAST_ID, JSON.stringify(`${user}:7@${server}`));
}

/** Forget the login, and whatever else is kept beside it. */
export function clearLogin() {
  localStorage.clear();
}

/**
 * Claim this profile for this tab.
 *
 * @param {() => void} onTaken called when a later tab claims it
 */
export function claimProfile(onTaken) {
  const own = `x${crypto.randomUUID()}:init_${Date.now()}`;
  localStorage.setItem(MUTEX, own);
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === MUTEX && newValue && newValue !== own) onTaken();
  });
}
