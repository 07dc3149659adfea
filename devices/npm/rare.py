"""Prints what is rare as a module beside the SDK's, from the same file as Django serves it."""

import sys

from devices.sdk_files import RARE_FILES, joined

if __name__ == "__main__":
    sys.stdout.write(joined(RARE_FILES))
