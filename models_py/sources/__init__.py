"""Raw files: where they come from and whether they are sound."""
