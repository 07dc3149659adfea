"""What the missing foreign keys of the hot tables would have enforced, and that nothing is left without a state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

_LONG = timedelta(minutes=10)

# Each selects the ids of rows that must not be there.
_CHECKS: Mapping[str, str] = {
    "deliveries without a dispatch": """
        SELECT d.id FROM devices_delivery d LEFT JOIN devices_dispatch p ON p.id = d.dispatch_id WHERE p.id IS NULL""",
    "deliveries whose day is not their dispatch's": """
        SELECT d.id FROM devices_delivery d JOIN devices_dispatch p ON p.id = d.dispatch_id WHERE p.day <> d.day""",
    "deliveries of one brand under a dispatch of another": """
        SELECT d.id FROM devices_delivery d JOIN devices_dispatch p ON p.id = d.dispatch_id
        WHERE p.brand_id <> d.brand_id""",
    "open deliveries of an end user or device that is gone": """
        SELECT d.id FROM devices_delivery d LEFT JOIN devices_enduser u ON u.id = d.end_user_id
        LEFT JOIN devices_device v ON v.id = d.device_id
        WHERE d.state IN ('ready', 'sending') AND (u.id IS NULL OR v.id IS NULL)""",
    "deliveries being sent by nobody: their chunk is done or gone": """
        SELECT d.id FROM devices_delivery d LEFT JOIN devices_deliverychunk c ON c.id = d.chunk_id
        WHERE (d.state = 'sending' OR (d.state = 'ready' AND d.chunk_id IS NOT NULL))
          AND (c.id IS NULL OR c.state = 'done')""",
    "deliveries with an end but without a reason": """
        SELECT id FROM devices_delivery WHERE state NOT IN ('ready', 'sending', 'accepted') AND reason = ''""",
    "deliveries overdue by ten minutes that nobody cut or held": """
        SELECT d.id FROM devices_delivery d JOIN devices_brand b ON b.id = d.brand_id
        WHERE d.state = 'ready' AND d.chunk_id IS NULL AND d.next_attempt_at < %(long_ago)s
          AND b.sending_stopped_at IS NULL""",
    "deliveries that wait for longer than they live": """
        SELECT id FROM devices_delivery WHERE state = 'ready' AND chunk_id IS NULL AND next_attempt_at > expires_at""",
    "deliveries that expired ten minutes ago in a waiting chunk": """
        SELECT d.id FROM devices_deliverychunk c JOIN devices_delivery d ON d.chunk_id = c.id AND d.day = c.day
        WHERE c.state <> 'done' AND d.state = 'ready' AND d.expires_at < %(long_ago)s""",
    "chunks whose lease ran out ten minutes ago": """
        SELECT id FROM devices_deliverychunk WHERE state = 'leased' AND leased_until < %(long_ago)s""",
    "chunks that are done with open rows": """
        SELECT DISTINCT c.id FROM devices_deliverychunk c JOIN devices_delivery d ON d.chunk_id = c.id AND d.day = c.day
        WHERE c.state = 'done' AND d.state IN ('ready', 'sending')""",
    "open journeys of people who must never be contacted": """
        SELECT e.id FROM devices_enduser u JOIN campaigns_enrolment e ON e.end_user_id = u.id AND e.state = 'active'
        WHERE u.never_contact""",
    "messages that left one step twice": """
        SELECT min(id) FROM devices_delivery WHERE enrolment_id IS NOT NULL
        GROUP BY enrolment_id, step_seq, device_id HAVING count(*) > 1""",
    "live tokens without the holder's open record": """
        SELECT v.id FROM devices_device v LEFT JOIN devices_tokenholding h
          ON h.device_id = v.id AND h.until IS NULL AND h.end_user_id = v.holder_id AND h.token_hash = v.token_hash
        WHERE v.token_hash IS NOT NULL AND h.id IS NULL""",
    "popup offers without a dispatch": """
        SELECT o.id FROM devices_popupoffer o LEFT JOIN devices_dispatch p ON p.id = o.dispatch_id
        WHERE p.id IS NULL""",
    "enrolments at a step that their version does not have": """
        SELECT e.id FROM campaigns_enrolment e LEFT JOIN campaigns_versionstep s
          ON s.version_id = e.version_id AND s.key = e.at_key
        WHERE e.state = 'active' AND s.id IS NULL""",
    "enrolments that wait for a popup that has been answered": """
        SELECT e.id FROM campaigns_enrolment e JOIN devices_popupoffer o
          ON o.enrolment_id = e.id AND o.step_seq = e.step_seq
        WHERE e.state = 'active' AND e.waiting_for = 'popup' AND o.finished_at < %(long_ago)s""",
    "membership changes of an end user or segment that is gone": """
        SELECT p.id FROM segments_passage p LEFT JOIN devices_enduser u ON u.id = p.end_user_id
        LEFT JOIN segments_segment s ON s.id = p.segment_id
        WHERE p.at < %(long_ago)s AND (u.id IS NULL OR s.id IS NULL)""",
    "end users kept as in a segment of another brand": """
        SELECT p.id FROM segments_presence p JOIN segments_segment s ON s.id = p.segment_id
        JOIN devices_enduser u ON u.id = p.end_user_id WHERE u.brand_id <> s.brand_id""",
    "membership changes with a later epoch than the membership": """
        SELECT p.id FROM segments_presence p JOIN segments_passage a
          ON a.segment_id = p.segment_id AND a.end_user_id = p.end_user_id AND a.epoch > p.epoch""",
    "watched segments whose brand queues no changes": """
        SELECT s.id FROM segments_segment s JOIN devices_brand b ON b.id = s.brand_id
        WHERE s.watched AND NOT b.noticed""",
    "step runs without an enrolment": """
        SELECT r.id FROM campaigns_steprun r LEFT JOIN campaigns_enrolment e ON e.id = r.enrolment_id
        WHERE e.id IS NULL""",
}
_SETTLED: Mapping[str, str] = {
    "changed end users who were not evaluated": """
        SELECT c.id FROM devices_changedenduser c JOIN devices_brand b ON b.id = c.brand_id WHERE b.noticed""",
    "membership changes that campaigns have not taken": "SELECT id FROM segments_passage WHERE taken_at IS NULL",
    "deliveries still under way": "SELECT id FROM devices_delivery WHERE state IN ('ready', 'sending')",
    "chunks still open": "SELECT id FROM devices_deliverychunk WHERE state <> 'done'",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: how many rows break it, and up to five of their ids."""

    check: str
    count: int
    sample: list[Any]


def audit(*, now: datetime, settled: bool = False) -> list[Finding]:
    """Run every check; with `settled` also those that only hold once all work is over."""
    findings = []
    checks = {**_CHECKS, **(_SETTLED if settled else {})}
    with connection.cursor() as cursor:
        for name, sql in checks.items():
            cursor.execute(
                f"WITH bad(id) AS ({sql}) SELECT (SELECT count(*) FROM bad), ARRAY(SELECT id FROM bad LIMIT 5)",
                {"long_ago": now - _LONG},
            )
            count, sample = cursor.fetchone()
            findings.append(Finding(name, count, list(sample)))
    return findings
