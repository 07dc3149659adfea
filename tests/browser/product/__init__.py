"""The product as it runs, in front of real browsers."""
