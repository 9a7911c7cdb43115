"""Clear temporary and backup tables out of the warehouse, safely; see ``--help``."""

import sys

from models_py.commands.cleanup_temp_tables import main

if __name__ == "__main__":
    sys.exit(main())
