"""Write a first study of your own table or transaction log."""

import sys

from models_py.commands.new_study import main

if __name__ == "__main__":
    sys.exit(main())
