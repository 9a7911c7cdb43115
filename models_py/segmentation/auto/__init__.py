"""The automatic choice: evidence of every candidate, weighed."""
