"""From gold rows to the segments of a study: prepared, searched, chosen, refined."""
