"""Clustering algorithms and the candidates they make."""
