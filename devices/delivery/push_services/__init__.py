"""What push services accept from us and how they are doing, known to all processes."""
