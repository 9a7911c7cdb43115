"""Measures of a clustering, and the choice between candidates."""
