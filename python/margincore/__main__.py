"""``python -m margincore`` is the ``margincore`` command."""

from margincore.cli import main

main()
