"""Encoders: other coordinates for the same rows, behind one interface.

``base`` is the interface, ``settings`` what each encoder takes, ``catalog`` builds
and loads them by kind. ``training`` is the loop that every network shares.
"""
