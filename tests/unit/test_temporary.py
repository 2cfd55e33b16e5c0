import pytest

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.extract.temporary import LONGEST, browser_environment

LONG = "/" + "t" * LONGEST


@pytest.mark.parametrize("environment", [{}, {"TMPDIR": "/tmp"}, {"TMPDIR": LONG[:LONGEST]}])
def test_a_temporary_folder_that_is_short_enough_stays(environment):
    assert browser_environment(environment) is None


def test_a_shorter_one_that_can_be_written_is_taken_for_one_that_is_too_long(tmp_path):
    instead = (tmp_path / "none", tmp_path)

    assert browser_environment({"TMPDIR": LONG, "HOME": "/h"}, instead) == {
        "TMPDIR": str(tmp_path),
        "HOME": "/h",
    }


def test_without_one_the_person_is_told_which_variable_is_too_long(tmp_path):
    with pytest.raises(ConfigurationError, match=rf"^TMPDIR: {LONG} is too long.* at most {LONGEST} bytes"):
        browser_environment({"TMPDIR": LONG}, (tmp_path / "none",))
