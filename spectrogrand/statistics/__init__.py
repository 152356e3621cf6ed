"""Numbers about numbers: intervals that cover what they promise, and comparisons that count how often they were made."""
