"""Ask whether segments tell of what comes next."""

import sys

from models_py.commands.check_validity import main

if __name__ == "__main__":
    sys.exit(main())
