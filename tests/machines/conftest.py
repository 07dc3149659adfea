"""Who can make machines."""

import os

# Devices, mounts and namespaces are root's to make; `make test-machines` says so to everybody else.
collect_ignore = [] if os.geteuid() == 0 else ["test_machine.py"]
