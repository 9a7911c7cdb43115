"""Segmenthouse: customer segments from a medallion warehouse, explained and kept."""

__version__ = "0.1.0"
