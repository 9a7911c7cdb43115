"""From gold columns to the feature matrix."""
