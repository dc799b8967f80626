"""``python -m semasia``: the console command."""

import sys

from semasia.cli import main

if __name__ == "__main__":
    sys.exit(main())
