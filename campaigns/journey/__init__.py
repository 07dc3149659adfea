"""The flow of a journey as data: parse, validate, compile, time. No Django in this room."""
