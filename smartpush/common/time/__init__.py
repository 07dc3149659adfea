"""Clock, moments as callers write them, wall-clock times."""
