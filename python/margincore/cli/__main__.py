"""``python -m margincore.cli``."""

from margincore.cli import main

if __name__ == "__main__":
    main()
