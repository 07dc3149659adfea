"""A worker that died in the middle: its lease, its rows, and its late return."""

from datetime import timedelta

from devices.delivery.sending import chunk_send
from devices.delivery.sending.claim import chunk_claim
from devices.delivery.sending.gating import rows_gate
from devices.delivery.sending.results import results_write
from devices.delivery.services.outbox import chunks_cut, leases_reclaim
from devices.delivery.transports.base import Outcome, SendResult
from devices.models import Delivery, DeliveryChunk
from tests.support.sending import crash_the_worker_after_gating


class TestACrashedWorker:
    def crashed(self, channel, **fields):
        ann = channel.subscriber("ann")
        channel.add(channel.dispatch(**fields), ann)
        (chunk,) = chunks_cut(now=channel.now)
        crash_the_worker_after_gating(chunk.id, channel.now)
        return chunk

    def test_its_lease_keeps_others_away_while_it_lasts(self, channel):
        chunk = self.crashed(channel)
        assert chunk_send(chunk_id=chunk.id, now=channel.now) == 0
        assert leases_reclaim(now=channel.now + timedelta(seconds=30)) == []

    def test_its_rows_are_sent_again_after_the_lease(self, channel):
        chunk = self.crashed(channel)
        later = channel.now + timedelta(seconds=90)
        assert [one.id for one in leases_reclaim(now=later)] == [chunk.id]
        chunk_send(chunk_id=chunk.id, now=later)
        assert Delivery.objects.get().hold_reason == "unsure"
        channel.send_due(now=later)
        assert Delivery.objects.get().state == "accepted"
        assert not DeliveryChunk.objects.exclude(state="done").exists()

    def test_its_rows_are_parked_where_the_resource_says_never_twice(self, channel):
        chunk = self.crashed(channel, policy="at_most_once")
        later = channel.now + timedelta(seconds=90)
        chunk_send(chunk_id=chunk.id, now=later)
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.reason) == ("unknown", "worker_lost")

    def test_a_worker_that_comes_back_late_writes_nothing(self, channel):
        ann = channel.subscriber("ann")
        channel.add(channel.dispatch(), ann)
        (chunk,) = chunks_cut(now=channel.now)
        slow = chunk_claim(chunk_id=chunk.id, now=channel.now)
        rows = {row.id: row for row in rows_gate(claim=slow, now=channel.now, limit=500)[1]}
        later = channel.now + timedelta(seconds=90)
        chunk_send(chunk_id=chunk.id, now=later)
        assert rows_gate(claim=slow, now=later, limit=500) == (0, [])
        channel.send_due(now=later)
        (row_id,) = rows
        late = [SendResult(row_id, Outcome.GONE, 410, "gone")]
        assert (
            results_write(
                claim=slow,
                policy="at_least_once",
                rows=rows,
                results=late,
                now=later,
            )
            == 0
        )
        assert Delivery.objects.get().state == "accepted"
