"""Check whether a study's newest run is still true of its gold table."""

import sys

from models_py.commands.check_drift import main

if __name__ == "__main__":
    sys.exit(main())
