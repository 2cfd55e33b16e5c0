// Returns the button that closes a dialog which only informs, or null. Such a dialog is known by its title, has no
// field, and every one of its buttons is harmless: anything else is a question for a person.
(args) => {
  const isShown = (element) => element.getClientRects().length > 0;
  const plain = (text) => (text || "").trim().replaceAll("\u2019", "'");
  const { harmless, press, beside } = args.label;
  const found = args.select.dialog.flatMap((css) => [...document.querySelectorAll(css)]).filter(isShown);
  // Dialogs nest: what belongs to the outermost one belongs to the question.
  const dialogs = found.filter((element) => !found.some((other) => other !== element && other.contains(element)));
  const titlesOf = (dialog) => {
    const headings = [...dialog.querySelectorAll("h1, h2, [role='heading']")].map((heading) => heading.innerText);
    return headings.length > 0 ? headings : [(dialog.innerText || "").trim().split("\n")[0]];
  };
  for (const dialog of dialogs) {
    if (dialog.querySelector("input, textarea, select, [contenteditable='true']")) continue;
    if (!titlesOf(dialog).every((title) => harmless.includes(plain(title)))) continue;
    const buttons = args.select.dialog_button.flatMap((css) => [...dialog.querySelectorAll(css)]).filter(isShown);
    const label = (button) => plain(button.innerText || button.getAttribute("aria-label"));
    if (!buttons.every((button) => press.includes(label(button)) || beside.includes(label(button)))) continue;
    const closing = buttons.find((button) => press.includes(label(button)));
    if (closing) return closing;
  }
  return null;
}
