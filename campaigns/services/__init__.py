"""What may be done with campaigns: publish, change their state, let end users in."""
