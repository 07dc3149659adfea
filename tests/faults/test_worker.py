"""kill -9 of everything that works in the background, in the middle of sending."""

from contextlib import suppress

import psutil

from tests.browser.harness.waiting import wait_until
from tests.browser.product.running import START_SECONDS, Product, tree
from tests.processes import kill, lives

from .letter import Letter


def workers(product: Product, *words: str) -> list[int]:
    """The worker's processes whose command line ends with these words: a cluster, its guard and its workers."""
    found = []
    for pid in tree(product.worker.pid):
        with suppress(psutil.NoSuchProcess):
            if tuple(psutil.Process(pid).cmdline()[-len(words) :]) == words:
                found.append(pid)
    return found


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
    cluster = workers(product, "cluster", "bulk")
    assert cluster
    kill(cluster)
    letter.hurry()
    letter.settle()
    unknown = letter.nobody_got_it_twice()
    record_property("unknown", unknown)
    print(f"unknown: {unknown}")
    assert 0 < unknown < len(letter.tokens) / 2
