"""English, with the day first and a 24-hour clock."""
