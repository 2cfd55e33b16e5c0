// Returns the button that closes a dialog which only informs, or null. Such a dialog has no field, and every one of
// its buttons is known to be harmless: one more than that, and it is a question for a person.
(args) => {
  const isShown = (element) => element.getClientRects().length > 0;
  const buttons = (dialog) => args.select.dialog_button.flatMap((css) => [...dialog.querySelectorAll(css)]).filter(isShown);
  const label = (button) => (button.innerText || button.getAttribute("aria-label") || "").trim().replaceAll("\u2019", "'");
  const { press, beside } = args.label;
  for (const css of args.select.dialog) {
    for (const dialog of [...document.querySelectorAll(css)].filter(isShown)) {
      if (dialog.querySelector("input, textarea, select, [contenteditable='true']")) continue;
      const choices = buttons(dialog);
      if (!choices.every((button) => press.includes(label(button)) || beside.includes(label(button)))) continue;
      const harmless = choices.find((button) => press.includes(label(button)));
      if (harmless) return harmless;
    }
  }
  return null;
}
