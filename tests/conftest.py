"""What holds for every test."""

from hypothesis import HealthCheck, settings

# A slow machine is no failure, and a run differs from the one before by what was changed alone: the same examples each
# time. Who looks for new ones says `--hypothesis-profile=default`.
settings.register_profile(
    "smartpush", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("smartpush")
