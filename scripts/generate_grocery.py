"""Make grocery lines up at any size, week by week; see ``--help``."""

import signal
import sys

if __name__ == "__main__":
    # Until the command can say what it did, Ctrl-C ends it without a word.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from models_py.commands.exit_codes import run_script
    from models_py.commands.generate_grocery import main

    sys.exit(run_script(main))
