"""Whether a website's installation works, and what is wrong with it: for its page in the back office and for CI."""

from devices.lifecycle.site_check.checking import SiteSeen, site_look
from devices.lifecycle.site_check.findings import Finding, State, Ways, findings_of, live_of
from devices.lifecycle.site_check.refused import Refusal, Remedy, refusals_of
from devices.lifecycle.site_check.testing import CannotTest, site_test_send

__all__ = [
    "CannotTest",
    "Finding",
    "Refusal",
    "Remedy",
    "SiteSeen",
    "State",
    "Ways",
    "findings_of",
    "live_of",
    "refusals_of",
    "site_look",
    "site_test_send",
]
