"""Real browsers, a real desktop bus and real HTTP origins for tests; README.md here is the guide."""
