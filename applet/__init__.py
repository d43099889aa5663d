"""Call Support: a system-tray phone that calls one support desk."""
