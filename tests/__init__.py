"""Some of our dependencies install a package `tests` of their own: this file puts ours first."""
