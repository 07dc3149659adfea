"""Setting a clone up: standard library only, run by the system's Python before any package is installed."""
