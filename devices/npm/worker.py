"""Prints the service worker's part as one script, from the same files as Django serves them."""

import sys

from devices.sdk_files import WORKER_FILES, joined

if __name__ == "__main__":
    sys.stdout.write(joined(WORKER_FILES))
