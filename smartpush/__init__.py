"""The monolith's own package: settings, addresses, and the rooms that join the apps."""

# The one place in code that names the release; tests/test_version.py holds the other files to it.
__version__ = "0.3.0"
