"""What is described in two forms, in its other form: one cycle, compared with what it must contain."""

from __future__ import annotations

import pytest

from tests.matrix.choices import LANGUAGE_VARIANTS, PAGE_VARIANTS, PROFILES
from whatsapp_etl.model import RunStatus

#: In the quick tests only this one; albums, cards and the others have tests of their own.
_SAMPLE = "no_prefix"
_ALL = "+".join(PAGE_VARIANTS)

#: Each by itself on the usual page, all together on every page.
PAGES = [
    pytest.param("aug26", variant, marks=() if variant == _SAMPLE else pytest.mark.matrix)
    for variant in PAGE_VARIANTS
] + [pytest.param(profile, _ALL, id=f"{profile}-all", marks=pytest.mark.matrix) for profile in PROFILES]


@pytest.mark.parametrize(("profile", "variant"), PAGES)
def test_another_form_of_the_page_is_read_to_the_same_messages(account, profile, variant):
    # Albums are among what is rare.
    repertoire = "usual" if variant == _SAMPLE else "everything"
    world = {"chats": 2, "messages": 40, "profile": profile, "repertoire": repertoire}

    assert_read_whole(account({**world, "page_variants": tuple(variant.split("+"))}))


@pytest.mark.matrix
@pytest.mark.parametrize("variant", LANGUAGE_VARIANTS)
def test_another_form_of_dates_and_words_is_read_to_the_same_messages(account, variant):
    locale, hour12 = LANGUAGE_VARIANTS[variant]
    world = {"chats": 6, "messages": 90, "locale": locale, "hour12": hour12}
    it = account({**world, "language_variants": (variant,)}, whatsapp_locale=locale)
    it.simulator.set_config(fiber=False)  # its times would speak for the shown ones

    report = assert_read_whole(it)

    # What is shown agrees with what is listed.
    assert report.selector_hits.get(("row_time_dissent", "metadata"), 0) == 0


def assert_read_whole(it):
    report = it.sync()

    assert report.status is RunStatus.SUCCESS, report.error
    assert (report.rejects, report.missing, report.disagreements) == (0, 0, 0)
    result = it.judged()
    assert result.is_equal, str(result)
    assert it.sync().chats_opened == 0
    return report
