"""Fetch or copy the raw files of a domain; see ``--help``."""

import sys

from models_py.commands.fetch_data import main

if __name__ == "__main__":
    sys.exit(main())
