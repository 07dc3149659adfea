"""Django's PostgreSQL backend, on a server that is started when it is first needed."""
