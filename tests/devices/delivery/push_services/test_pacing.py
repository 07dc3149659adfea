"""Pacing against push services that count in windows, in simulated time: what is allowed is used, little is refused."""

import heapq
import math
import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.delivery.push_services.pacing import (
    BREAKER,
    LONGEST_HOLD,
    THROTTLED,
    Grant,
    Pace,
    Recent,
    accepted,
    granted,
    hold_seconds,
    refused,
)

ROUND_TRIP = 0.005
UNLIMITED_IN_FLIGHT = 64
ASK_EVERY = 0.05


@dataclass
class Windows:
    """A push service that takes `allows` messages in each window of `seconds`."""

    allows: int
    seconds: float
    phase: float
    whole_seconds: bool
    taken: dict[int, int] = field(default_factory=dict)
    refused: dict[int, int] = field(default_factory=dict)

    def ask(self, at: float) -> float | None:
        """None: taken. Else Retry-After."""
        window = math.floor((at - self.phase) / self.seconds)
        if self.taken.get(window, 0) < self.allows:
            self.taken[window] = self.taken.get(window, 0) + 1
            return None
        self.refused[window] = self.refused.get(window, 0) + 1
        left = (window + 1) * self.seconds + self.phase - at
        return float(math.ceil(left)) if self.whole_seconds else left


@dataclass
class Sender:
    """Sends as a carrier does: asks for a grant every so often, stops at a refusal, tries with one."""

    service: Windows
    waiting: int
    seed: int
    pace: Pace = field(default_factory=Pace)
    now: float = 1_000_000.0
    began: float = 0.0
    taken: int = 0

    def run(self) -> None:
        rng = random.Random(self.seed)
        answers: list[tuple[float, int, float | None, bool]] = []
        planned: list[tuple[float, bool]] = []
        number, asked = 0, -1.0
        self.began = self.now
        while self.waiting or answers or planned:
            while answers and answers[0][0] <= self.now:
                _, number_of, retry_after, tried = heapq.heappop(answers)
                if retry_after is None:
                    self.taken += 1
                    self.pace = accepted(self.pace, count=1, tried=tried)
                    continue
                self.waiting += 1
                before = self.pace
                self.pace = refused(
                    self.pace,
                    kind=THROTTLED,
                    device=number_of,
                    at=self.now,
                    tried=tried,
                    retry_after=retry_after,
                    recent=Recent(self.taken, self.began),
                )
                if self.pace != before:  # what has not gone out is recalled
                    self.waiting += len(planned)
                    if any(one for _, one in planned):
                        self.pace = replace(self.pace, trying_until=0.0)
                    planned.clear()
            while planned and planned[0][0] <= self.now:
                _, tried = planned.pop(0)
                number += 1
                arrives = self.now + ROUND_TRIP * (0.5 + rng.random() / 4)
                heapq.heappush(answers, (arrives + ROUND_TRIP / 2, number, self.service.ask(arrives), tried))
            if self.waiting and self.now - asked >= ASK_EVERY:
                unlimited = self.pace.rate is None and not self.pace.kind
                room = UNLIMITED_IN_FLIGHT - len(answers) if unlimited else self.waiting
                grant, self.pace = granted(self.pace, want=min(self.waiting, room), at=self.now)
                if not unlimited:
                    asked = self.now
                self.waiting -= grant.count
                planned += [(self.now + grant.delay + i * grant.spacing, grant.tries) for i in range(grant.count)]
            self.now += 0.001


@pytest.mark.parametrize("whole_seconds", [True, False], ids=["whole seconds", "exact"])
@pytest.mark.parametrize(
    ("allows", "seconds", "messages"), [(100, 2.0, 3000), (1000, 60.0, 4500), (60, 10.0, 1500), (500, 2.0, 6000)]
)
def test_nearly_all_that_is_allowed_is_used_and_little_refused(allows, seconds, messages, whole_seconds):
    for part in range(5):
        service = Windows(allows, seconds, phase=part * seconds / 5, whole_seconds=whole_seconds)
        Sender(service, waiting=messages, seed=part).run()
        windows = sorted(service.taken)
        full = range(windows[1], windows[-1])  # not the first, which nobody knew of, nor the last, which lacks messages
        used = sum(service.taken.get(window, 0) for window in full) / (allows * len(full))
        refusals = sum(count for window, count in service.refused.items() if window > windows[0])
        assert used >= 0.95, (part, used)
        assert refusals <= 0.02 * messages, (part, refusals)


def test_an_unlimited_service_is_granted_everything():
    assert granted(Pace(), want=500, at=1.0) == (Grant(500), Pace())


def refuse(pace: Pace, device: int, *, at: float = 100.0, tried: bool = False, **more) -> Pace:
    return refused(
        pace,
        device=device,
        at=at,
        tried=tried,
        **({"kind": THROTTLED, "retry_after": 30.0, "recent": Recent(100, 90)} | more),
    )


@pytest.mark.parametrize("kind", [THROTTLED, BREAKER])
def test_a_first_refusal_lets_one_message_to_another_device_try_at_once(kind):
    held = refuse(Pace(), 7, kind=kind)
    grant, trying = granted(held, want=50, at=100.1)
    assert (grant.count, grant.tries, grant.not_to) == (1, True, 7)
    assert granted(trying, want=50, at=100.2)[0].count == 0
    free = accepted(trying, count=1, tried=True)
    assert granted(free, want=50, at=100.3)[0] == Grant(50)
    assert refuse(free, 7, kind=kind, at=101.0) == free, "the one device holds nobody else"
    assert refuse(free, 8, kind=kind, at=101.0).kind == kind


def test_a_second_device_s_refusal_holds_until_the_time_and_then_one_tries():
    held = refuse(refuse(Pace(), 7), 8, at=100.05)
    assert held.rate is not None
    assert granted(held, want=50, at=129.9)[0].count == 0
    grant, trying = granted(held, want=50, at=130.0)
    assert (grant.count, grant.tries, grant.not_to) == (1, True, None)
    shut = refuse(trying, 9, at=130.1, tried=True)
    assert granted(shut, want=50, at=150.0)[0].count == 0
    _, trying = granted(shut, want=50, at=161.0)
    again, _ = granted(accepted(trying, count=1, tried=True), want=50, at=161.1)
    assert 0 < again.count < 50 and again.spacing > 0


def test_a_try_whose_worker_died_does_not_hold_for_ever():
    held = refuse(refuse(Pace(), 7), 8)
    _, trying = granted(held, want=1, at=131.0)
    assert granted(trying, want=1, at=171.5)[0].tries


@given(
    kind=st.sampled_from([THROTTLED, BREAKER]),
    refusals=st.integers(1, 10_000),
    retry_after=st.none() | st.floats(0, 1e15),
)
def test_no_hold_is_longer_than_a_day(kind, refusals, retry_after):
    assert 0 < hold_seconds(kind=kind, refusals=refusals, retry_after=retry_after) <= LONGEST_HOLD


def test_slots_of_one_limit_are_handed_out_once():
    pace = Pace(rate=50.0, cycle=2.0, next_slot=100.0, raised_at=100.0)
    first, pace = granted(pace, want=1000, at=100.0)
    second, pace = granted(pace, want=1000, at=100.0)
    third, _ = granted(pace, want=1000, at=100.4)
    assert (first.count, second.count) == (25, 0)
    assert third.delay == pytest.approx(100.5 - 100.4)
