"""Faults injected into the running product: nothing is lost, nothing is forgotten."""
