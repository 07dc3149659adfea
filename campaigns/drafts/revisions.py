"""Which revisions of what activities send and show can still be used, and by what."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from campaigns.activities import registry
from campaigns.models import Campaign
from smartpush.common.database import statements

# The revisions of steps in versions that still let somebody in or have somebody in them: name of the campaign.
_USED_SQL = """
SELECT s.content->>'kind' AS kind, (s.content->>'revision')::bigint AS revision, c.name AS campaign
FROM campaigns_versionstep s
JOIN campaigns_campaignversion v ON v.id = s.version_id
JOIN campaigns_campaign c ON c.id = v.campaign_id
WHERE s.content->>'kind' = ANY(%(kinds)s) AND s.content->>'revision' IS NOT NULL
  AND ((c.current_version_id = v.id AND c.state = ANY(%(running)s))
       OR EXISTS (SELECT 1 FROM campaigns_enrolment e WHERE e.version_id = v.id AND e.state = 'active'))
"""

# The revisions of messages that wait: tests, sends from a profile, calls of the server API, and earlier versions.
_WAITING_SQL = """
SELECT DISTINCT p.content->>'kind' AS kind, (p.content->>'revision')::bigint AS revision
FROM devices_dispatch p
WHERE p.content->>'revision' IS NOT NULL AND p.state = 'running'
  AND EXISTS (SELECT 1 FROM devices_delivery d WHERE d.dispatch_id = p.id AND d.day = p.day AND d.state = 'ready')
"""


class _Used(NamedTuple):
    kind: str
    revision: int
    campaign: str


class _Waiting(NamedTuple):
    kind: str
    revision: int


def revisions_in_use() -> Mapping[str, Mapping[int, list[str]]]:
    """By kind of activity: each revision that is current or used, with the names of the campaigns that use it."""
    found: dict[str, dict[int, list[str]]] = {kind: defaultdict(list) for kind in registry.resources()}
    for kind, resources in registry.resources().items():
        current = resources.model._default_manager.filter(current_revision__isnull=False)
        for revision in current.values_list("current_revision_id", flat=True):
            found[kind][revision] = []
    running = [Campaign.State.ACTIVE.value, Campaign.State.PAUSED.value]
    for used in statements.rows(_Used, _USED_SQL, {"running": running, "kinds": list(found)}):
        if used.campaign not in found[used.kind][used.revision]:
            found[used.kind][used.revision].append(used.campaign)
    for waiting in statements.rows(_Waiting, _WAITING_SQL):
        if waiting.kind in found:
            found[waiting.kind].setdefault(waiting.revision, [])
    return found
