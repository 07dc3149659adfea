"""Bodies and answers of the server surface."""
