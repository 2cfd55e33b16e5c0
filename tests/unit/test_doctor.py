"""What the doctor decides without looking at anything."""

import pytest

from whatsapp_etl.doctor.findings import Finding, Outcome, exit_code_of, findings_of, good, notice, wrong
from whatsapp_etl.doctor.machine import sandbox_remedy
from whatsapp_etl.errors import DatabaseUnreachableError
from whatsapp_etl.settings import Settings

RESTRICTED = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"


@pytest.mark.parametrize(
    ("switches", "command"),
    [
        ({RESTRICTED: "1"}, "apparmor_restrict_unprivileged_userns=0"),
        ({RESTRICTED: "0", "/proc/sys/kernel/unprivileged_userns_clone": "0"}, "unprivileged_userns_clone=1"),
        ({"/proc/sys/user/max_user_namespaces": "0"}, "max_user_namespaces=15000"),
    ],
)
def test_the_switch_that_forbids_a_sandbox_is_named_with_its_command(switches, command):
    assert command in sandbox_remedy(1000, switches)
    assert sandbox_remedy(0, switches) is None


def test_a_kernel_that_allows_a_sandbox_is_not_blamed():
    assert sandbox_remedy(1000, {RESTRICTED: "0", "/proc/sys/user/max_user_namespaces": "9000"}) is None


def test_the_first_finding_that_is_wrong_gives_the_exit_code():
    findings = [
        good("python", "3.11"),
        notice("snapshots", "one"),
        wrong("disk", "full", "Free it.", exit_code=1),
        wrong("database", "down", "Start it.", exit_code=5),
    ]
    assert exit_code_of(findings) == 1
    assert exit_code_of(findings[:2]) == 0


def test_an_error_is_what_a_check_found_last():
    def check(_settings):
        yield good("database", "answers")
        raise DatabaseUnreachableError("It is gone.", "Start it.")

    found = list(findings_of("database", check, Settings(_env_file=None)))

    assert [each.outcome for each in found] == [Outcome.OK, Outcome.WRONG]
    assert found[1] == Finding("database", Outcome.WRONG, "It is gone.", "Start it.", exit_code=5)


def test_what_the_system_does_not_let_be_looked_at_is_a_finding():
    def check(_settings):
        raise PermissionError(13, "Permission denied", "/somewhere")
        yield

    (found,) = findings_of("permissions", check, Settings(_env_file=None))

    assert (found.outcome, found.exit_code) == (Outcome.WRONG, 1)
    assert "/somewhere" in found.told
