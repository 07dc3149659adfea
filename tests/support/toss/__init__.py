"""The toy activity as a whole: what a new folder under `campaigns/activities/` has."""

from campaigns.activities.plugins import Plugin
from campaigns.activities.shapes import Choose
from tests.support.toss.kind import KIND

# The same person falls the same way: a hash, never chance.
_HEADS = "abs(hashtext(d.version_id || ':' || d.at_key || ':' || d.end_user_id)::bigint) %% 100"

PLUGIN = Plugin(
    kind=KIND,
    shape=Choose(outcome=f"CASE WHEN {_HEADS} < (s.settings->>'chance')::int THEN 'heads' ELSE 'tails' END"),
)
