// Returns the button that takes the session over from another window, or null: the only one of its name, in the one dialog
// that says so. Whatever else is shown beside it, nothing is returned.
(args) => {
  const found = (name) => (args.select[name] ?? []).join(",") || ":not(*)";
  const isShown = (element) => element.getClientRects().length > 0;
  const shown = [...document.querySelectorAll(found("dialog"))].filter(isShown);
  const dialogs = shown.filter((element) => !shown.some((other) => other !== element && other.contains(element)));
  if (dialogs.length !== 1) return null;
  const says = dialogs[0].innerText ?? "";
  if (!args.label.conflict.some((text) => says.includes(text))) return null;
  const buttons = [...dialogs[0].querySelectorAll(found("dialog_button"))]
    .filter((button) => isShown(button) && args.label.take_over.includes((button.innerText ?? "").trim()));
  return buttons.length === 1 ? buttons[0] : null;
}
