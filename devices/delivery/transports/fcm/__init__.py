"""Firebase Cloud Messaging: credentials, messages, answers."""
