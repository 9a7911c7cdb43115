"""Write the report of a run again."""

import sys

from models_py.commands.write_report import main

if __name__ == "__main__":
    sys.exit(main())
