"""What is read of imported lists."""
