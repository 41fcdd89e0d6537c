"""Files that appear whole or not at all."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text file by way of a partial one beside it, so that a kill leaves the old content or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)
