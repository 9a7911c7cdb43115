"""Declarative recipes of modelling jobs."""
