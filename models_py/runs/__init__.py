"""Saved runs and the segments they give to customers who were not there."""
