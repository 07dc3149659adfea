"""Origins, click addresses and links into apps."""
