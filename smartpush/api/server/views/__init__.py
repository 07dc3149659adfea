"""The endpoints of the server surface: thin; each checks its body, makes its calls and answers."""
