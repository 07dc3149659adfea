"""The wire: what a push service is told and what it answered. Pure; no Django in here."""
