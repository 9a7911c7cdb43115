"""Run a study and write its segments to the results tables."""

import sys

from models_py.commands.run_clustering import main

if __name__ == "__main__":
    sys.exit(main())
