// Returns the build of WhatsApp Web, such as "2.3000.1038183521", or null where the page hides it.
() => {
  const told = window.Debug?.VERSION;
  if (typeof told === "string") return told;
  for (const script of document.scripts) {
    const found = /"client_revision":(\d+)/.exec(script.textContent);
    if (found) return `2.3000.${found[1]}`;
  }
  return null;
}
