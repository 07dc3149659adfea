"""Activities: one folder a kind, and what they share. The registry names them all."""
