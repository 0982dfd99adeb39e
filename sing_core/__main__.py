"""``python -m sing_core``: see ``cli``."""

from sing_core.cli import main

if __name__ == "__main__":
    main()
