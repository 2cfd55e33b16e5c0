// Returns the first shown element that is one of args.candidates and says one of args.words, or null; waits up to
// args.wait_ms for it. Without words whatever is shown is taken. `whole` asks for the whole text, else its beginning.
async (args) => {
  const STEP_MS = 100;
  const plain = (text) => (text ?? "").replaceAll("\u2019", "'").replace(/\s+/g, " ").trim();
  const isShown = (element) => element.getClientRects().length > 0;
  const fits = (said) => args.words.some((word) => (args.whole ? said === word : said.startsWith(word)));
  const says = (element) => args.words.length === 0 || [element.innerText, element.getAttribute("aria-label")].map(plain).some(fits);
  const find = () => {
    for (const css of args.candidates) {
      const found = [...document.querySelectorAll(css)].find((element) => isShown(element) && says(element));
      if (found) return found;
    }
    return null;
  };
  const deadline = performance.now() + args.wait_ms;
  let found = find();
  while (found === null && performance.now() < deadline) {
    await new Promise((resolve) => { setTimeout(resolve, STEP_MS); });
    found = find();
  }
  return found;
}
