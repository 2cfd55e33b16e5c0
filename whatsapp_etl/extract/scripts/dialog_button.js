// Returns the button that closes a dialog which only informs, or null. Such a dialog is one of args.harmless by all that
// names it, has no field, and nothing to press but what is described there. While any other dialog is shown, wherever it
// is, nothing is returned: that one is a question for a person.
(args) => {
  const found = (name) => (args.select[name] ?? []).join(",") || ":not(*)";
  const isShown = (element) => element.getClientRects().length > 0;
  const plain = (text) => (text ?? "").trim().replaceAll("\u2019", "'");
  const said = (...texts) => texts.map(plain).filter(Boolean);

  // Dialogs nest: what belongs to the outermost one belongs to the question.
  const outermost = (element) => {
    let outer = element;
    for (let around = element.parentElement; around; around = around.parentElement) {
      if (around.matches(`${found("dialog")},${found("dialog_around")}`)) outer = around;
    }
    return outer;
  };
  const dialogs = [...new Set([...document.querySelectorAll(found("dialog"))].filter(isShown).map(outermost))];

  const named = (element) => {
    const ids = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean);
    return said(element.getAttribute("aria-label"), ...ids.map((id) => document.getElementById(id)?.innerText));
  };
  const titlesOf = (dialog) => {
    const parts = [dialog, ...dialog.querySelectorAll(`${found("dialog")},${found("dialog_around")}`)];
    const headings = [...dialog.querySelectorAll("h1, h2, h3, [role='heading']")].map((heading) => heading.innerText);
    const titles = [...said(...headings), ...parts.flatMap(named)];
    return titles.length > 0 ? titles : said((dialog.innerText ?? "").trim().split("\n")[0]);
  };
  const buttonsOf = (dialog) => [...dialog.querySelectorAll(found("dialog_button"))].filter(isShown);
  const labels = (button) => said(button.innerText, button.getAttribute("aria-label"), button.getAttribute("title"));
  const isOnly = (button, allowed) => labels(button).length > 0 && labels(button).every((text) => allowed.includes(text));

  const closing = (dialog) => {
    if (dialog.querySelector("input, textarea, select, [contenteditable='true']")) return null;
    const titles = titlesOf(dialog);
    const buttons = buttonsOf(dialog);
    const known = args.harmless.find(
      ({ title, press, beside }) =>
        titles.length > 0 &&
        titles.every((text) => text === title) &&
        buttons.every((button) => isOnly(button, [press, ...beside])),
    );
    return (known && buttons.find((button) => isOnly(button, [known.press]))) ?? null;
  };
  const ways = dialogs.map(closing);
  // The last one stands above the others.
  return ways.every(Boolean) ? (ways.at(-1) ?? null) : null;
}
