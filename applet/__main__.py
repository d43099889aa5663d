"""`python -m applet`: hands over to `cli`, with the moment of the start."""

from __future__ import annotations

import time

STARTED = time.perf_counter()

if __name__ == "__main__":
    import sys

    from applet.cli import main

    sys.exit(main(sys.argv[1:], STARTED))
