"""The guides for native apps: their code says what the server understands."""
