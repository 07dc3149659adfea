"""The one-second tick: what is due moves on, what was lost is found again, whoever it was that failed to do it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection

from campaigns.advance import advance_due, popup_answers_apply
from campaigns.services.entry_by_segment import membership_changes_take
from campaigns.services.flows_upgrade import flows_upgrade
from campaigns.services.schedule import launch_due
from devices.brands.services.incidents import incidents_close_quiet
from devices.brands.services.refused_origins import refused_origins_forget_old
from devices.delivery.push_services.budgets import budgets_forget_old
from devices.delivery.push_services.health import records_forget_old
from devices.delivery.sending.caps import counters_remove_old
from devices.delivery.sending.chunks import chunks_expire
from devices.delivery.services.outbox import chunks_cut, leases_reclaim
from devices.installations.archiving import tokens_follow
from devices.people.services.languages import languages_refill
from devices.people.services.replays import keys_forget_old
from devices.popups.offers import offers_expire
from segments.services.imports import imports_forget_old, imports_resume
from segments.services.scheduled_work import work_notify
from segments.services.watching import changed_people_evaluate, watching_forget_old
from smartpush.common.database.advisory_locks import Lock, lock_keep_try
from smartpush.common.database.partitions import partitions_ensure

log = structlog.get_logger(__name__)

_HOUR = timedelta(hours=1)
SLOW = 2.0  # seconds: longer than this, others wait noticeably


@dataclass(slots=True)
class Ticker:
    """Runs the steps; one failing step is logged and does not hold up the others."""

    housekeeping_at: datetime | None = None
    _failed: set[str] = field(default_factory=set)

    def tick(self, *, now: datetime) -> int:
        """Everything that is due now; returns how much was done, so that the caller may come back at once."""
        if self.housekeeping_at is None or now - self.housekeeping_at >= _HOUR:
            self.housekeeping_at = now
            self._step("partitions", lambda: len(partitions_ensure(today=now.date())))
            self._step("cap_counters", lambda: counters_remove_old(now=now))
            self._step("idempotency_keys", lambda: keys_forget_old(now=now))
            self._step("limits_old", lambda: budgets_forget_old(now=now) + records_forget_old(now=now))
            self._step("refused_origins_old", lambda: refused_origins_forget_old(now=now))
            self._step("imports_old", lambda: imports_forget_old(now=now))
            self._step("membership_changes_old", lambda: watching_forget_old(now=now))
            self._step("languages", languages_refill)
            self._step("flows", flows_upgrade)
        done = self._step("offers", lambda: offers_expire(now=now))
        done += self._step("schedule", lambda: launch_due(now=now).slices)
        done += self._step("archived", lambda: tokens_follow(now=now))
        done += self._step("changes", lambda: changed_people_evaluate(now=now))
        done += self._step("membership_changes", lambda: membership_changes_take(now=now))
        done += self._step("answers", lambda: len(popup_answers_apply(now=now)))
        done += self._step("advance", lambda: advance_due(now=now).moved)
        done += self._step("cut", lambda: len(chunks_cut(now=now)))
        self._step("reclaim", lambda: len(leases_reclaim(now=now)))
        self._step("expired", lambda: chunks_expire(now=now))
        self._step("incidents", lambda: incidents_close_quiet(now=now))
        self._step("imports", lambda: imports_resume(now=now))
        self._step("segments", lambda: work_notify(now=now))
        return done

    def _step(self, name: str, work: Callable[[], int]) -> int:
        began = time.monotonic()
        try:
            done = work()
            if time.monotonic() - began > SLOW:
                log.warning("ticker_step_slow", step=name, seconds=round(time.monotonic() - began, 1), done=done)
            return done
        except Exception:
            if not connection.is_usable():
                raise
            log.exception("ticker_step_failed", step=name)
            return 0


def lock_take() -> bool:
    """Try to become the ticker at work, of any number that run; the lock goes with the database session."""
    return lock_keep_try(lock=Lock.TICKER)
