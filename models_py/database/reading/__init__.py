"""Files of one's own in the database: staged as text, their columns counted, typed."""
