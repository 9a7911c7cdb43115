"""Compare two runs of a study."""

import sys

from models_py.commands.compare_runs import main

if __name__ == "__main__":
    sys.exit(main())
