"""What this process has open, so that a test can see that nothing stays behind."""

import sys
from pathlib import Path


def open_files() -> int:
    """The number of descriptors (sockets, files); 0 where the system does not tell."""
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
