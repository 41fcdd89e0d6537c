"""Recordings from files and generators, and prepared sets that networks read."""


def load(role: str, *, source: str, path):
    """The sequences of a benchmark role; see `poselib.data.sources.load`."""
    # Imported here so that training does not depend on every reader.
    from poselib.data import sources

    return sources.load(role, source=source, path=path)
