"""Tools that set up and run a machine."""
