// Returns the markup of the page as JSON, with what only a drawn page has noted in it: the computed align-items
// of elements that have one, as the attribute args.alignment.
(args) => {
  const root = document.documentElement;
  // In a document without a window: nothing of the page is touched, and no picture is loaded a second time.
  const copy = document.implementation.createHTMLDocument("").importNode(root, true);
  const copied = copy.querySelectorAll("*");
  root.querySelectorAll("*").forEach((element, index) => {
    const { alignItems } = getComputedStyle(element);
    if (/^(flex-(start|end)|center)$/.test(alignItems)) copied[index].setAttribute(args.alignment, alignItems);
  });
  return JSON.stringify({ html: copy.outerHTML, language: root.lang || null });
}
