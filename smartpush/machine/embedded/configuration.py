"""How the embedded server is configured."""

import os

from smartpush.machine.embedded.layout import Layout

PORT = 5432
SMALL_SHARED_MEMORY = 256 * 1024 * 1024


def server_settings(*, layout: Layout) -> dict[str, str]:
    """Return the server's configuration; it goes on the command line so that no file can fall behind it."""
    try:
        memory = os.statvfs("/dev/shm")  # noqa: S108 - measured, never written to
        shared_bytes = memory.f_frsize * memory.f_bavail
    except OSError:
        shared_bytes = 0
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(layout.socket_folder),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "100",
        "shared_buffers": "256MB",
        # Containers often give 64 MB of /dev/shm, which one parallel hash join exhausts.
        "dynamic_shared_memory_type": "posix" if shared_bytes >= SMALL_SHARED_MEMORY else "mmap",
        "fsync": "on",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "2GB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "on",
        "log_directory": str(layout.log_folder),
        # One file a weekday, emptied when its turn comes again: a week of logs, whatever happens.
        "log_filename": "server-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_line_prefix": "%m [%p] %q%d ",
    }
