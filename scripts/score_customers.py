"""Give new or changed customers the segments of a finished run."""

import sys

from models_py.commands.score_customers import main

if __name__ == "__main__":
    sys.exit(main())
