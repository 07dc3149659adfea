"""The keys and addresses that the dumps were made with: for tests alone, and obviously so."""

import base64

# Secrets of the dumps are encrypted with these two: a brand's retired VAPID key with the older one.
OLDER_ENCRYPTION_KEY = base64.urlsafe_b64encode(b"upgrade-dump-test-key-the-older!").decode()
ENCRYPTION_KEY = base64.urlsafe_b64encode(b"upgrade-dump-test-key-the-newer!").decode()
ENCRYPTION_KEYS = [ENCRYPTION_KEY, OLDER_ENCRYPTION_KEY]
ID_KEY = "upgrade-dump-test-key-of-public-ids"
SECRET_KEY = "upgrade-dump-test-key-that-signs-queued-jobs-and-nothing-else"

# Stands in the dumps for the address of the push service that they were made with; nobody ever listens there.
PUSH_SERVICE = "http://127.0.0.1:1"
