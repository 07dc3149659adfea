"""Brands and what belongs to them: apps, keys, members of staff, incidents."""
