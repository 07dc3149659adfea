"""Three users, two browsers, anything they may do, in any order: the token invariant and the status rules hold."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from devices.installations.tokens import tokens_gone
from devices.lifecycle.brands import brand_create
from devices.models import Device, EndUser, PushStatus, Status, TokenHolding
from tests.support.people import Browser

WHICH = st.integers(0, 1)
WHO = st.sampled_from(["a", "b", "c"])


class Household(RuleBasedStateMachine):
    """`user` is what the site's own login says, per browser; None for a visitor."""

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.brand = brand_create(name="Household", origin="https://home.example")
        self.browsers = [Browser(self.brand), Browser(self.brand)]
        self.user: list[str | None] = [None, None]
        self.touched: int | None = None

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def known(self, n: int) -> bool:
        return self.browsers[n].credentials is not None

    @rule(n=WHICH, who=WHO)
    def identify(self, n, who):
        self.browsers[n].load(who)
        self.user[n], self.touched = who, n

    @rule(n=WHICH)
    def page_load(self, n):
        self.browsers[n].load(self.user[n])
        self.touched = n

    @precondition(lambda self: self.known(0))
    @rule()
    def log_out(self):
        self.browsers[0].log_out()
        self.user[0], self.touched = None, None

    @rule(n=WHICH)
    def allow(self, n):
        if self.known(n):
            self.browsers[n].allow()
            self.touched = n

    @rule(n=WHICH)
    def block(self, n):
        if self.known(n):
            self.browsers[n].block()
            self.touched = n

    @rule(n=WHICH)
    def revoke_and_be_found_gone(self, n):
        """The user resets the permission in the browser's settings; the next push gets 410; no page is open."""
        browser = self.browsers[n]
        browser.permission, browser.subscription = "default", None
        self.touched = None
        if self.known(n) and browser.device.token_hash:
            before = dict(PushStatus.objects.filter(device=browser.device).values_list("end_user_id", "status"))
            tokens_gone(tokens=[(browser.device.pk, browser.device.token_hash)], reason="gone", now=browser.now)
            after = dict(PushStatus.objects.filter(device=browser.device).values_list("end_user_id", "status"))
            assert after == before, "a dead token is not a refusal"
            assert browser.device.token_hash is None

    @rule(n=WHICH, keep=st.booleans())
    def clear_storage(self, n, keep):
        self.browsers[n].clear_storage()
        self.user[n], self.touched = None, None
        if not keep:
            self.browsers[n].subscription = None

    @invariant()
    def a_live_token_belongs_to_one_pair(self):
        live = Device.objects.filter(brand=self.brand, token_hash__isnull=False)
        hashes = list(live.values_list("token_hash", flat=True))
        assert len(hashes) == len(set(hashes))
        for device in live:
            holding = TokenHolding.objects.get(device=device, until__isnull=True)
            assert (holding.end_user_id, holding.token_hash) == (device.holder_id, device.token_hash)
        dead = Device.objects.filter(brand=self.brand, token_hash__isnull=True)
        assert not TokenHolding.objects.filter(device__in=dead, until__isnull=True).exists()

    @invariant()
    def only_the_holder_is_allowed_and_suspended_means_another_holds_it(self):
        for pair in PushStatus.objects.filter(brand=self.brand).select_related("device"):
            holds = pair.device.holder_id == pair.end_user_id
            if pair.status == Status.ALLOWED:
                assert holds
            if pair.status == Status.SUSPENDED:
                assert not holds

    @invariant()
    def the_last_session_tells_what_that_browser_reported(self):
        if self.touched is None:
            return
        browser = self.browsers[self.touched]
        device = browser.device
        pair = PushStatus.objects.get(end_user=device.session_end_user, device=device)
        expected = {"granted": "allowed", "denied": "blocked", "default": "ask"}[browser.permission]
        if expected == "allowed" and device.holder_id != device.session_end_user_id:
            expected = "suspended"
        assert pair.status == expected
        assert device.session_end_user.last_session_status == expected
        if self.user[self.touched] is not None:
            assert device.session_end_user.external_id == self.user[self.touched]

    @invariant()
    def nobody_is_merged_twice_or_left_behind(self):
        assert EndUser.objects.filter(brand=self.brand, external_id__isnull=False).count() <= 3
        assert not PushStatus.objects.exclude(end_user__brand=self.brand).filter(brand=self.brand).exists()


@pytest.mark.django_db
def test_any_order_of_logins_permissions_and_losses_keeps_the_rules():
    run_state_machine_as_test(
        Household,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
