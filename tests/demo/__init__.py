"""What `make dev` does for who works on the code."""
