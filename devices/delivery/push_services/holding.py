"""Which chunks have to wait for their push service: the one fragment that cutting, notifying and claiming share."""

# Whether a chunk `c` has to wait: one of its two limits holds and nothing may try, or its push service is silent.
# A native app's credentials have a limit of their own (`fcm:<app>`) beside that of its project.
HELD_SQL = """
    EXISTS (
        SELECT 1 FROM devices_sendbudget b
        WHERE ((b.sender = c.sender AND b.origin = CASE WHEN c.origin LIKE 'fcm:%%' THEN 'fcm' ELSE c.origin END)
               OR (b.sender = c.origin AND b.origin = c.origin))
          AND b.kind <> '' AND (b.trying_until > %(now)s OR (b.held_until > %(now)s AND b.suspect_id IS NULL)))
    OR EXISTS (
        SELECT 1 FROM devices_originhealth h
        WHERE h.origin = CASE WHEN c.origin LIKE 'fcm:%%' THEN 'https://fcm.googleapis.com' ELSE c.origin END
          AND h.open_until > %(now)s)
"""
