"""What keeps a warehouse sound: backup, restore, cleanup, compaction, checks."""
