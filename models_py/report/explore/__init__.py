"""The page to look around in: one run's customers, live, over a copy of the warehouse."""
