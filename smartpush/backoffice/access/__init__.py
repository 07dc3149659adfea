"""Log-in, its limits, one-time passwords."""
