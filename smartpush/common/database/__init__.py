"""Contention, partitions, statistics."""
