"""``python -m segmenthouse`` is the command ``segmenthouse``."""

from models_py.commands.verbs import script

if __name__ == "__main__":
    script()
