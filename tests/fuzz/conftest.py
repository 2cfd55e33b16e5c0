"""Examples are the same in every run, and a busy machine is no failure."""

import os

from hypothesis import HealthCheck, settings

#: Set by `make fuzz` where it cannot be guided by coverage: then every run tries others.
_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))

settings.register_profile(
    "repeatable",
    max_examples=_EXAMPLES or 100,
    deadline=None,
    derandomize=not _EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
