"""How a process starts: it reads the environment, and with wrong settings it says what is wrong and ends.

`environment` reads variables; `rules` holds what values must fulfil; `refusal` decides which process may go on;
`commands` and `web` are what manage.py and smartpush.wsgi call.
"""
