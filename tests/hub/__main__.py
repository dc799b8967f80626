"""Start the server: ``python -m hub FOLDER``."""

from .server import main

main()
