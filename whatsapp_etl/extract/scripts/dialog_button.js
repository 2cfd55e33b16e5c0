// Returns the button that closes a dialog which only informs, or null. A dialog with a button of
// `never_press` is a question for a person: none of its buttons is returned.
(args) => {
  const isShown = (element) => element.getClientRects().length > 0;
  const buttons = (dialog) => args.select.dialog_button.flatMap((css) => [...dialog.querySelectorAll(css)]).filter(isShown);
  const label = (button) => (button.innerText || button.getAttribute("aria-label") || "").trim().replaceAll("\u2019", "'");
  for (const css of args.select.dialog) {
    for (const dialog of [...document.querySelectorAll(css)].filter(isShown)) {
      const choices = buttons(dialog);
      if (choices.some((button) => args.label.never_press.includes(label(button)))) continue;
      const harmless = choices.find((button) => args.label.press.includes(label(button)));
      if (harmless) return harmless;
    }
  }
  return null;
}
