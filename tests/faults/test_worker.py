"""kill -9 of everything that works in the background, in the middle of sending."""

import signal
from contextlib import suppress

import psutil
from django.db import connection

from tests.browser.harness.waiting import wait_until
from tests.browser.product.running import START_SECONDS, Product, tree
from tests.support.processes import kill, lives, signal_all

from .letter import SETTLED_SECONDS, Letter


def workers(product: Product, *words: str) -> list[int]:
    """The worker's processes whose command line ends with these words: a cluster, its guard and its workers."""
    found = []
    for pid in tree(product.worker.pid):
        with suppress(psutil.NoSuchProcess):
            if tuple(psutil.Process(pid).cmdline()[-len(words) :]) == words:
                found.append(pid)
    return found


def kill_in_the_middle(product: Product, letter: Letter) -> None:
    """kill -9 the cluster while messages are on their way; where it was between two chunks, look again a moment later.

    It is made to stand still first: whether anything is on its way cannot change between the look and the end.
    """

    def killed() -> bool:
        cluster = workers(product, "cluster", "bulk")
        signal_all(cluster, signal.SIGSTOP)
        wait_until(lambda: not statements_under_way(), timeout=SETTLED_SECONDS, what="the end of their last statement")
        if not letter.states()["sending"]:
            signal_all(cluster, signal.SIGCONT)
            return False
        kill(cluster)
        return True

    wait_until(killed, timeout=SETTLED_SECONDS, what="messages on their way", detail=product.describe)


def statements_under_way() -> int:
    """How many other sessions of this database are at work just now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend'"
            " AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_a_killed_cluster_a_killed_ticker_and_a_killed_supervisor_lose_nothing(
    product: Product, letter: Letter, record_property
):
    letter.post()
    letter.wait_received(80)
    cluster = workers(product, "cluster", "bulk")
    assert cluster
    kill(cluster)
    letter.wait_received(200)
    assert not set(cluster) & set(workers(product, "cluster", "bulk"))

    ticker = workers(product, "ticker")
    assert ticker
    kill(ticker)
    letter.wait_received(320)
    everything = tree(product.worker.pid)
    product.worker.kill()
    wait_until(lambda: not any(map(lives, everything)), timeout=START_SECONDS, what="the end of the whole tree")
    product.start_worker()
    letter.hurry()
    letter.settle()
    repeated = letter.everybody_got_it()
    record_property("messages_sent_again", repeated)
    print(f"sent again: {repeated}")


def test_a_killed_cluster_sends_nothing_twice_where_the_push_may_not(product: Product, letter: Letter, record_property):
    letter.post(policy="at_most_once")
    letter.wait_received(150)
    kill_in_the_middle(product, letter)
    letter.hurry()
    letter.settle()
    unknown = letter.nobody_got_it_twice()
    record_property("unknown", unknown)
    print(f"unknown: {unknown}")
    assert 0 < unknown < len(letter.tokens) / 2
