"""The fields of what devices know: registered by importing these modules, in the order in which they are offered."""

from segments.core import profile, markers, devices, properties, events, lists  # noqa: F401, I001  (the order is the builder's)
