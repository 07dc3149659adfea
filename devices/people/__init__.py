"""End users, what is known of them, and what they did."""
