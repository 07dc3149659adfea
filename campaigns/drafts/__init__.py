"""What a campaign's draft would run: read once, checked, compared with what was reviewed, and warned about."""
