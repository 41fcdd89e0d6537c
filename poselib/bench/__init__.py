"""What the package needs of a machine, measured on the real commands."""
