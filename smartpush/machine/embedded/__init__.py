"""The PostgreSQL that a clone brings up for itself while `DATABASE_URL` is unset."""
