"""The two locks that tell the truth; the kernel drops them whatever dies.

`start.lock` is held while somebody starts or stops the server (a running initdb inherits it, so that nobody
sweeps its folder away). `server.lock` is inherited by the server and by all its children: while it is held
somebody may be writing to the cluster, once it is free nobody is.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from smartpush.machine.embedded.errors import EmbeddedServerError
from smartpush.machine.embedded.layout import Layout

LOCK_SECONDS = 120.0
POLL_SECONDS = 0.05


@contextlib.contextmanager
def start_lock(*, layout: Layout) -> Iterator[int]:
    """Hold the start lock; yields its descriptor. Raises EmbeddedServerError after LOCK_SECONDS."""
    descriptor = os.open(layout.start_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not try_lock(descriptor=descriptor):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"another process has been starting PostgreSQL for {LOCK_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(*, descriptor: int) -> bool:
    """Take a lock if it is free, without waiting; it lives as long as any copy of the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_served(*, layout: Layout) -> bool:
    """Tell whether a server, or what a killed server left running, holds the cluster."""
    try:
        descriptor = os.open(layout.server_lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor=descriptor)
    finally:
        os.close(descriptor)
