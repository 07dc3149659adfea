"""What `make check` holds beside the tools of others: Markdown and commit subjects; and what `make quick` runs."""
