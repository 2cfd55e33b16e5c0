import pytest
from selectolax.lexbor import LexborHTMLParser

from whatsapp_etl.transform.redact import redact_html, redact_text
from whatsapp_etl.transform.text import lines, render


def shown(html):
    return render(LexborHTMLParser(f"<main>{html}</main>").css_first("main"))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("  two  words ", "two  words"),
        ("a<br>b", "a\nb"),
        ("<div>a</div><div>b</div>c", "a\nb\nc"),
        ("a<div></div>b", "a\nb"),
        ("<span></span><div>a</div>", "a"),
        ("a\n<p>b</p>", "a\nb"),
        ("a<img src='x'><p>b</p>", "a\nb"),
        ("<ol><li>x</li><li>y</li></ol>", "1. x\n2. y"),
        ("<ul><li value='x'>a</li></ul>", "- a"),
        ("<blockquote>said</blockquote>then", "said\nthen"),
        ("a<svg><title>ic-x</title></svg>b<!-- c -->", "ab"),
        ("a<span aria-hidden='true'>10:15</span>", "a"),
        ("<img alt='🙂' class='x'><img alt='🙂' class='x'>", "🙂🙂"),
        ("<img alt='🙂' class='x'><img alt='🙂' class='y'>", "🙂"),
        ("<img alt='🙂' class='x'>-<img alt='🙂' class='y'>", "🙂-🙂"),
        ("<img alt='🙂' class='x'><b>a</b><img alt='🙂' class='y'>", "🙂a🙂"),
        ("<img src='x'>", None),
        (" \n ", None),
    ],
)
def test_render_gives_what_a_person_sees(html, text):
    assert shown(html) == text


def test_what_is_skipped_is_not_rendered():
    node = LexborHTMLParser("<main>a<b>b</b></main>").css_first("main")

    assert render(node, {node.css_first("b").mem_id}) == "a"


def test_lines_leaves_out_empty_ones():
    assert lines("a\n \nb") == ["a", "b"]
    assert lines(None) == []


def test_redacted_text_keeps_only_its_form():
    assert redact_text("Ana, 12 Õ٣-e\u0301!\n") == "xxx, 99 x9-xx!\n"


def test_redacted_markup_keeps_what_selectors_need():
    html = (
        '<div class="_amk4 message-in" data-testid="conv-msg-3EB0AA01FF" data-id="false_1@c.us_3EB0" '
        'title="Ana"><span data-icon="tail-in"><svg><title>tail-in</title></svg></span>'
        'Hi 5 &lt;b&gt;<br><img alt="Ana"></div>'
    )

    redacted = redact_html(html)

    assert 'class="_amk4 message-in"' in redacted
    assert 'data-icon="tail-in"><svg><title>tail-in</title></svg>' in redacted
    assert "xx 9 &lt;x&gt;<br><img" in redacted
    assert 'title="xxx"' in redacted
    assert "3EB0" not in redacted
    assert "Ana" not in redacted
    assert "conv-msg-" in redacted


def test_a_title_outside_a_drawing_is_redacted():
    assert redact_html("<div><title>secret</title></div>") == "<div><title>xxxxxx</title></div>"
    assert "secret" not in redact_html("<svg><title>secret 12345</title></svg>")


def test_a_name_with_words_in_it_is_redacted():
    assert redact_html('<i data-icon="né 1"></i>') == '<i data-icon="xx 9"></i>'


def test_a_drawings_attributes_and_comments_do_no_harm():
    assert redact_html("<p>x<!-- Ana --></p>") == "<p>x</p>"
    assert redact_html("") == ""


def test_deeper_nesting_than_any_page_has_costs_structure_and_no_words():
    markup = "<b>" * 400 + "secret" + "</b>" * 400
    assert render(LexborHTMLParser(f"<p>{markup}</p>").css_first("p")) == "secret"
    redacted = redact_html(markup)
    assert redacted.startswith("<b><b>")
    assert redacted.count("<b>") == redacted.count("</b>") < 400
    assert "secret" not in redacted
