"""From a dispatch to a push service's answer."""
