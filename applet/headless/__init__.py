"""The phone without a screen or a sound card: lines in, JSON out."""
