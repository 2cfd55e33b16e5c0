"""Shared fixtures, one plugin a subject."""

pytest_plugins = [
    "tests.fixtures.simulator",
    "tests.fixtures.postgres",
    "tests.fixtures.page",
    "tests.fixtures.browser",
    "tests.fixtures.cycle",
    "tests.fixtures.reading",
    "tests.fixtures.program",
    "tests.fixtures.proxy",
    "tests.fixtures.doctor",
    "tests.fixtures.vault",
    "tests.fixtures.pictures",
]
