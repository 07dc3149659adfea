"""Requests: who calls, how much, what is wrong with it."""
