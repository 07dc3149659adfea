"""Language tags, and the words that smartpush begins a language with."""
