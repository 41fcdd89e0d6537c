"""Which state of the code made a result."""

import subprocess
from pathlib import Path

# What numbers depend on; a commit of anything else leaves them as they are.
CODE = ("poselib", "notebooks", "experiments", "params.yaml", "data/reported", "requirements.lock")


def code_commit(root: Path) -> str:
    """The last commit that changed what numbers depend on, shortened; so a commit of results does not change it."""
    command = ["git", "log", "-1", "--format=%h", "--", *CODE]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return done.stdout.strip() or "unknown (no git history)"
