"""Names that the brand's data knows, and finding them."""
