"""What each segment is: profile, name, rule."""
