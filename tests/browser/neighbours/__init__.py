"""The SDK on sites of other people's making: their service workers, their policies, their bundlers."""
