"""The channel of Linux is tried out on Linux; that of Windows by `test_shells`, under Wine."""

import sys

collect_ignore = ["test_channel.py"] if sys.platform == "win32" else []
