"""Pages that notice what they are told of a focus, as WhatsApp Web does."""

#: Notes what it is told of a focus from its first line on, as WhatsApp Web does.
WATCHFUL = """
window.noticed = { atStart: document.hasFocus(), focus: 0, elementFocus: 0 };
window.addEventListener("focus", () => { window.noticed.focus += 1; });
window.onfocus = () => { window.noticed.focus += 1; };
document.addEventListener("focus", () => { window.noticed.elementFocus += 1; }, true);
"""
PAGES = {
    "/": '<!doctype html><script src="/page.js"></script><input id="box"><button>b</button>'
    '<iframe src="/inner"></iframe>',
    "/inner": '<!doctype html><script src="/page.js"></script>',
    "/page.js": WATCHFUL,
    "/empty": "<!doctype html>",
}


def notices(frame):
    return frame.evaluate("() => window.noticed")


def focus(page):
    page.click("button")
    page.focus("#box")
    page.evaluate("() => { window.dispatchEvent(new FocusEvent('focus')); }")
