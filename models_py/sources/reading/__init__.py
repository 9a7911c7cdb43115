"""How a file of one's own is read: encoding, dialect, and the type of every column.

Nothing here talks to a database. :mod:`models_py.database.reading` counts the facts of a staged
file; the modules here decide from them, and :class:`~models_py.sources.reading.record.Reading`
is what was decided.
"""
