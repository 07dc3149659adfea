"""Popup offers."""
