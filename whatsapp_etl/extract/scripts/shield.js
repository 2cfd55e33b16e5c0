// The focus shield. It runs in every frame before any script of the page, and makes the page believe
// that nobody looks at it: the page then sends no read receipts and never says "online". The page
// stays visible, so that it renders, and real clicks and typing work as usual.
//
// The page must keep it for its whole life: receipts held back are sent when a page that had the
// shield is told of a focus later. So nothing here can be undone from the page.
(() => {
  const unfocused = { hasFocus() { return false; } }.hasFocus;
  Object.defineProperty(Document.prototype, "hasFocus", {
    value: unfocused, configurable: false, enumerable: true, writable: false,
  });
  // First listener of the window, in the capture phase: no later one gets the event. Focus of an
  // element inside the page passes through here too and goes on.
  window.addEventListener("focus", (event) => {
    if (event.target === window || event.target === document) event.stopImmediatePropagation();
  }, { capture: true });
})();
