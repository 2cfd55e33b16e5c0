// Returns the reasons why the focus shield does not hold in this frame; an empty list when it does.
() => {
  const reasons = [];
  if (document.hasFocus()) reasons.push("the document has focus");
  const own = Object.getOwnPropertyDescriptor(Document.prototype, "hasFocus");
  if (own === undefined || own.configurable || own.writable) reasons.push("the shield can be replaced");
  if (Object.prototype.hasOwnProperty.call(document, "hasFocus")) reasons.push("the shield is covered");
  if (document.visibilityState !== "visible") reasons.push("the page is hidden");
  // Only behind a shield that holds so far: an event that came through would reach the page.
  if (reasons.length === 0) {
    let delivered = false;
    const note = () => { delivered = true; };
    window.addEventListener("focus", note);
    window.dispatchEvent(new FocusEvent("focus"));
    window.removeEventListener("focus", note);
    if (delivered) reasons.push("window focus comes through");
  }
  return reasons;
}
