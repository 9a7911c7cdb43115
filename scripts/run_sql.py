"""Ask the warehouse a question kept in a SQL file; see ``--help``."""

import sys

from models_py.commands.run_sql import main

if __name__ == "__main__":
    sys.exit(main())
