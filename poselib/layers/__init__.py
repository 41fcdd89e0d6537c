"""The shelf of parts that models are built from."""
