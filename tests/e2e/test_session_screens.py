"""The session on small pages that each show one screen of WhatsApp Web."""

import stat
from datetime import timedelta

import pytest

from tests.fixtures.browser import STRICT_POLICY
from whatsapp_etl.errors import (
    ExtractError,
    PageTimeoutError,
    SelectorDriftError,
    SessionNeedsPersonError,
)
from whatsapp_etl.model import Account, SessionState

SOON = timedelta(seconds=5)
SHORT = timedelta(seconds=0.3)

NEW_LIST = """
<div id="side"><span></span><div id="pane-side"><div data-testid="chat-list"><div role="grid">
<div role="row" data-testid="list-item-0"><div data-testid="cell-frame-container">
<div data-testid="cell-frame-title"><span title="Use here">Use here</span></div></div></div>
</div></div></div></div>
"""
OLD_LIST = '<div id="side"><div id="pane-side"><div role="grid"><div role="row">Ana</div></div></div></div>'


def page(app="", script="", before=""):
    return f'<!doctype html><body>{before}<div id="app">{app}</div><script>{script}</script></body>'


NEWS = "What's new on WhatsApp Web"


def dialog(text, *buttons):
    made = "".join(
        f"<button onclick=\"this.closest('[role=dialog]').remove()\"><span>{label}</span></button>"
        for label in buttons
    )
    body = f"<h1>{text}</h1>{made}"
    return f'<div role="dialog" aria-modal="true"><div data-animate-modal-popup="true">{body}</div></div>'


QR = '<ol id="link-device-instructions-list"></ol><div data-ref="2@one,key"><canvas></canvas></div>'


@pytest.fixture
def show(serve_pages, open_shared_session):
    """Open a session on one page."""

    def show_(html, policy=None, **options):
        pages = serve_pages({"/": html})
        pages.policy = policy
        return open_shared_session(pages.url, **options)

    return show_


@pytest.mark.parametrize(
    ("html", "state"),
    [
        (page(NEW_LIST), SessionState.READY),
        (page(OLD_LIST), SessionState.READY),
        (page(QR), SessionState.QR),
        (page('<ol id="link-device-instructions-list"></ol>'), SessionState.QR),
        (page('<div data-link-code="A,B,C,D,E,F,G,H"></div>'), SessionState.PAIRING),
        (page(NEW_LIST + dialog("Confirm it\u2019s you", "Continue")), SessionState.PASSKEY_REQUIRED),
        (page('<progress value="0" max="100"></progress>'), SessionState.LOADING),
        (page("<div>Loading your chats [42%]</div>"), SessionState.LOADING),
        (page(before='<div id="wa_web_initial_startup">WhatsApp</div>'), SessionState.STARTING),
        (page(before="WhatsApp works with Google Chrome 100+"), SessionState.UNSUPPORTED),
        (
            page(dialog("WhatsApp is open on another computer or browser.", "Log out", "Use here")),
            SessionState.CONFLICT,
        ),
        (
            page(NEW_LIST + dialog("WhatsApp is open in another window.", "Close", "Use here")),
            SessionState.CONFLICT,
        ),
        (
            page(dialog("WhatsApp is updating our Terms and Privacy Policy to …", "Log out")),
            SessionState.TERMS,
        ),
        (
            page(dialog("… is too old. Please update to the latest version, then …", "Log out")),
            SessionState.UPDATE_REQUIRED,
        ),
        (page(dialog("Can\u2019t load WhatsApp", "Learn more")), SessionState.UNAVAILABLE),
        (page("<div>Service unavailable</div>"), SessionState.UNAVAILABLE),
        (page("<div>App lock is on</div><input type=password>"), SessionState.LOCKED),
        (page(dialog("You were temporarily banned")), SessionState.BANNED),
        (
            page(NEW_LIST.replace("<span></span>", "<span>Computer not connected</span>")),
            SessionState.OFFLINE,
        ),
        (page(NEW_LIST + dialog("Something nobody knows", "Log out", "OK")), SessionState.UNKNOWN),
    ],
)
def test_each_screen_is_told_from_the_others(show, html, state):
    assert show(html).state is state


def test_words_of_people_in_the_chat_list_are_not_taken_for_the_programs(show):
    assert show(page(NEW_LIST)).state is SessionState.READY


@pytest.mark.parametrize(("html", "pack"), [(page(NEW_LIST), "2026-08"), (page(OLD_LIST), "2026-04")])
def test_the_pack_that_fits_the_page_is_chosen(show, html, pack):
    session = show(html)

    session.wait_until_ready(SOON)

    assert session.pack.id == pack


def test_a_list_that_appears_after_its_pane_is_waited_for(show):
    script = f"setTimeout(() => {{ document.querySelector('#app').innerHTML = {NEW_LIST!r}; }}, 400)"
    session = show(page('<div id="side"><div id="pane-side"></div></div>', script))

    session.wait_until_ready(SOON)

    assert session.pack.id == "2026-08"


def test_a_forced_pack_is_used(show):
    session = show(page(NEW_LIST), forced_pack="2026-04")

    session.wait_until_ready(SOON)

    assert session.pack.id == "2026-04"


def test_hits_are_counted_by_candidate(show):
    session = show(page(NEW_LIST))

    session.wait_until_ready(SOON)

    assert session.hits.counts()["chat_list_pane", "#pane-side"] > 0


def test_a_page_of_no_known_shape_is_drift_with_a_redacted_snapshot(show, tmp_path, quick_settling):
    session = show(page('<div id="pane-side"><p>Ana Example 4711</p></div>'))

    with pytest.raises(SelectorDriftError, match="tried: 2026-08, 2026-04") as drift:
        session.wait_until_ready(SOON)

    (snapshot,) = (tmp_path / "snapshots").iterdir()
    assert str(snapshot) in str(drift.value)
    assert "xxx xxxxxxx 9999" in snapshot.read_text().lower()
    assert "Ana" not in snapshot.read_text()
    assert stat.S_IMODE(snapshot.stat().st_mode) == 0o600


def test_a_required_selector_without_a_match_is_drift_naming_pack_and_selector(show, quick_settling):
    session = show(page(NEW_LIST))
    session.wait_until_ready(SOON)
    session.page.evaluate("() => document.querySelector('#pane-side').removeAttribute('id')")

    with pytest.raises(SelectorDriftError, match=r"Selector pack 2026-08: nothing matches .*chat_list_pane"):
        session.require("ready")


def test_a_client_that_shows_nothing_known_is_drift_that_names_what_was_looked_for(show, tmp_path):
    session = show(page('<div id="list-panel"><p>Ana Example</p></div>'))

    with pytest.raises(SelectorDriftError, match=r"matches: chat_list_pane, qr_screen, .*no-screen"):
        session.wait_until_ready(SHORT)

    assert len(list((tmp_path / "snapshots").iterdir())) == 1


def test_people_s_words_are_no_screen_where_the_list_has_another_name(show):
    session = show(page('<div id="side"><div id="list-panel">Ana: I was temporarily banned</div></div>'))

    with pytest.raises(SelectorDriftError):
        session.wait_until_ready(SHORT)

    assert session.state is not SessionState.BANNED


def test_waiting_ends_at_its_deadline_and_says_what_is_missing(show):
    session = show(page("<progress></progress>"))

    with pytest.raises(
        PageTimeoutError, match=r"chat list did not appear within 0\.3 s; the page is loading"
    ):
        session.wait_until_ready(SHORT)


def test_waiting_for_a_person_ends_at_once(show):
    session = show(page(QR))

    with pytest.raises(SessionNeedsPersonError, match="whatsapp-etl login"):
        session.wait_until_ready(SOON)


def test_an_unsupported_browser_ends_waiting_at_once(show):
    session = show(page(before="WhatsApp works with Google Chrome 100+"))

    with pytest.raises(ExtractError, match="does not support this browser"):
        session.wait_until_ready(SOON)


def test_the_chat_list_is_noticed_when_it_appears(show):
    script = f"setTimeout(() => {{ document.querySelector('#app').innerHTML = {NEW_LIST!r}; }}, 300)"
    session = show(page("<progress></progress>", script))

    session.wait_until_ready(SOON)

    assert session.state is SessionState.READY


def test_a_page_that_reloads_itself_while_looked_at_is_looked_at_again(show):
    script = "if (!location.hash) { setTimeout(() => { location.hash = 'x'; location.reload(); }, 200); }"
    session = show(page("<progress></progress>", script))

    assert session.poll(timedelta(seconds=1)) is SessionState.LOADING
    assert session.poll(timedelta(seconds=1)) is SessionState.LOADING


def test_dialogs_that_only_inform_are_closed_one_after_another(show):
    session = show(page(NEW_LIST + dialog(NEWS, "Continue") + dialog(NEWS, "Close", "Continue")))

    session.wait_until_ready(SOON)

    assert session.page.query_selector("[role=dialog]") is None


@pytest.mark.parametrize("title", ["Log out?", "Delete this chat?", "Confirm it's you", f"{NEWS}?"])
def test_a_dialog_with_another_title_is_left_to_a_person_whatever_its_buttons(show, title):
    session = show(page(NEW_LIST + dialog(title, "Continue", "Close")))

    assert not session.dismiss_dialogs()
    assert session.page.query_selector("[role=dialog]") is not None


def test_a_button_of_the_dialog_around_counts_too(show):
    inner = f'<div data-animate-modal-popup="true"><h1>{NEWS}</h1><button>Continue</button></div>'
    outer = f'<div role="dialog" aria-modal="true">{inner}<button>Log out</button></div>'
    session = show(page(NEW_LIST + outer))

    assert not session.dismiss_dialogs()


def test_a_dialog_around_counts_although_it_does_not_cover_the_page(show):
    outer = f'<div role="dialog">{dialog(NEWS, "Continue")}<button>Log out</button></div>'
    session = show(page(NEW_LIST + outer))

    assert not session.dismiss_dialogs()


def test_nothing_is_pressed_while_another_dialog_asks(show):
    asking = dialog("Delete this chat?", "Cancel", "Delete")

    assert not show(page(NEW_LIST + dialog(NEWS, "Continue") + asking)).dismiss_dialogs()
    assert not show(page(NEW_LIST + asking + dialog(NEWS, "Continue"))).dismiss_dialogs()


@pytest.mark.parametrize(
    "more",
    [
        '<a href="#">Log out</a>',
        '<div role="menuitem">Log out</div>',
        '<span tabindex="0">Log out</span>',
        '<button aria-label="Log out">Close</button>',
        '<button aria-label=""></button>',
        '<div role="dialog" aria-label="Log out?"></div>',
        "<h3>Log out?</h3>",
        '<input type="checkbox">',
    ],
)
def test_whatever_else_a_dialog_has_makes_it_a_question(show, more):
    session = show(page(NEW_LIST + dialog(NEWS, "Continue").replace("</div></div>", f"{more}</div></div>")))

    assert not session.dismiss_dialogs()


def test_a_dialog_may_be_named_by_its_label_alone(show):
    named = (
        '<div role="dialog" aria-modal="true" aria-label="{}"><p>Lists</p><button {}>Continue</button></div>'
    )
    closes = "onclick=\"this.closest('[role=dialog]').remove()\""

    assert show(page(NEW_LIST + named.format(NEWS, closes))).state is SessionState.READY
    assert not show(page(NEW_LIST + named.format("Log out?", closes))).dismiss_dialogs()
    by_id = named.replace('aria-label="{}"', 'aria-labelledby="t"').replace(
        "<p>", '<p id="t">Log out?</p><p>'
    )
    assert not show(page(NEW_LIST + by_id.format(closes))).dismiss_dialogs()


@pytest.mark.parametrize(
    "buttons",
    [
        ("Log out", "OK"),
        ("Close",),
        ("Delete",),
        ("Cancel", "OK"),
        ("Not now", "Allow"),
        ("OK",),
        ("Got it",),
    ],
)
def test_a_dialog_with_any_other_button_is_left_to_a_person(show, buttons):
    session = show(page(NEW_LIST + dialog(NEWS, *buttons)))

    assert session.state is SessionState.UNKNOWN
    assert not session.dismiss_dialogs()
    assert session.page.query_selector("[role=dialog]") is not None


def test_a_hidden_dialog_is_not_there(show):
    hidden = dialog("Shall it be?").replace("<div role", '<div style="display:none" role', 1)

    assert show(page(NEW_LIST + hidden)).state is SessionState.READY


def test_the_qr_payload_is_what_the_attribute_says_and_follows_it(show):
    script = "setTimeout(() => { document.querySelector('[data-ref]').dataset.ref = '2@two,key'; }, 300)"
    session = show(page(QR, script))

    first = session.qr_payload
    session.poll(SOON)

    assert (first, session.qr_payload) == ("2@one,key", "2@two,key")
    assert session.snapshot().qr_payload == "2@two,key"
    assert session.snapshot().qr_seen_at is not None


def test_an_expired_code_is_no_payload_and_can_be_reloaded(show):
    expired = QR.replace(
        "<canvas></canvas>",
        "<span><button onclick=\"this.parentNode.parentNode.dataset.ref = '2@new'; this.remove()\">"
        "Click to reload QR code</button></span>",
    )
    session = show(page(expired))

    assert (session.qr_payload, session.is_qr_expired) == (None, True)
    assert session.reload_qr()
    session.poll(SOON)

    assert (session.qr_payload, session.is_qr_expired) == ("2@new", False)
    assert not session.reload_qr()


def test_a_qr_code_after_the_session_was_ready_is_a_logout(show):
    script = f"window.leave = () => {{ document.querySelector('#app').innerHTML = {QR!r}; }};"
    session = show(page(NEW_LIST, script))
    session.wait_until_ready(SOON)

    session.page.evaluate("() => window.leave()")

    assert session.poll() is SessionState.LOGGED_OUT


ACCOUNT = """
localStorage.setItem("last-wid-md", JSON.stringify("15550001111:12@s.whatsapp.net"));
window.filled = new Promise((resolve) => {
  const made = indexedDB.open("model-storage", 3);
  made.onupgradeneeded = () => made.result.createObjectStore("contact", { keyPath: "id" });
  made.onsuccess = () => {
    const store = made.result.transaction("contact", "readwrite").objectStore("contact");
    store.put({ id: "15550001111@c.us", pushname: "Me Myself" });
    store.put({ id: "222@lid", phoneNumber: { _serialized: "15550002222@c.us" } });
    store.put({ id: "111@lid", phoneNumber: "15550001111@c.us" });
    store.transaction.oncomplete = () => { made.result.close(); resolve(); };
  };
});
"""


def test_the_account_is_read_from_what_the_client_keeps(show):
    session = show(page(NEW_LIST, ACCOUNT))
    session.page.evaluate("() => window.filled")

    assert session.account() == Account(id="15550001111@c.us", lid="111@lid", push_name="Me Myself")


def test_the_own_lid_is_found_under_whatever_name_it_is_kept(show):
    kept = 'localStorage.setItem("some-name", JSON.stringify("999:12@lid"));'
    session = show(page(NEW_LIST, ACCOUNT.partition("window.filled")[0] + kept))

    assert session.account() == Account(id="15550001111@c.us", lid="999@lid")


def test_the_account_is_known_without_the_contact_store_and_none_is_made(show):
    session = show(page(NEW_LIST, ACCOUNT.partition("window.filled")[0]))

    assert session.account() == Account(id="15550001111@c.us")
    assert session.page.evaluate("() => indexedDB.databases()") == []


def test_a_page_that_keeps_no_account_is_an_error(show):
    with pytest.raises(ExtractError, match="no account id"):
        show(page(NEW_LIST)).account()


def test_a_rejected_account_is_a_state_of_its_own(show):
    session = show(page(NEW_LIST))
    session.wait_until_ready(SOON)

    session.reject_account()

    assert session.state is SessionState.WRONG_ACCOUNT
    with pytest.raises(SessionNeedsPersonError, match="--replace-account"):
        session.wait_until_ready(SOON)


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("window.Debug = { VERSION: '2.3000.17' };", "2.3000.17"),
        ('window.config = {"client_revision":1041898753};', "2.3000.1041898753"),
        ("", None),
    ],
)
def test_the_build_of_the_page_is_noted(show, script, version):
    session = show(page(NEW_LIST, script))

    session.wait_until_ready(SOON)

    assert session.wa_version == session.snapshot().wa_version == version


def test_the_page_is_read_under_a_policy_that_forbids_eval(show):
    session = show(page(NEW_LIST), policy=STRICT_POLICY)

    session.wait_until_ready(SOON)

    assert session.state is SessionState.READY
