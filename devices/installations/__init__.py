"""Devices, their push statuses and tokens, and who holds them."""
