"""What the executable starts. Frozen in place of `applet/__main__.py`, whose folder would
otherwise stand on the import path."""

import sys
import time

started = time.perf_counter()

from applet.cli import main  # noqa: E402
from applet.windows import leftovers  # noqa: E402

running = leftovers.mark_own()

sys.exit(main(sys.argv[1:], started))
