"""Choose profile, source and seeds: edits params.yaml, which DVC then sees as a change."""

from pathlib import Path

from ruamel.yaml import YAML

from poselib.errors import InputError
from poselib.experiments import load_parameters
from poselib.files import whole_file

# Where each source is looked for.
PATHS = {"synthetic": "data/raw/synthetic/h36m", "cmu": "data/raw/cmu", "human36m": "data/raw/h36m"}
DEFAULT = ("demo", "synthetic")


def run(root: Path, profile: str | None, source: str | None, path: str | None, seeds: int | None) -> None:
    """Write the choice; results of anything but the default go into a folder of their own.

    Raises:
        InputError: unknown profile or source, fewer than one seed.
    """
    before, yaml = load_parameters(root), YAML()
    yaml.preserve_quotes, yaml.width = True, 120
    if "h36m" not in before.roles:
        raise InputError("params.yaml: roles has no 'h36m', whose source is chosen; add it")
    content = yaml.load((root / "params.yaml").read_text())
    profile, source = profile or before.profile, source or before.roles["h36m"].source
    if profile not in before.profiles:
        raise InputError(f"params.yaml: profile {profile!r} does not exist; it has: {', '.join(before.profiles)}")
    if source not in PATHS:
        raise InputError(f"unknown source {source!r}; known: {', '.join(PATHS)}")
    if seeds is not None and seeds < 1:
        raise InputError(f"{seeds} seeds; give at least one")
    unchanged = source == before.roles["h36m"].source
    content["profile"] = profile
    content["results"] = "results" if (profile, source) == DEFAULT else f"results/{profile}-{source}"
    content["roles"]["h36m"]["source"] = source
    content["roles"]["h36m"]["path"] = path or (before.roles["h36m"].path if unchanged else PATHS[source])
    if seeds is not None:
        content["seeds"][:] = list(range(seeds))
    with whole_file(root / "params.yaml") as partial, partial.open("w") as file:
        yaml.dump(content, file)
    load_parameters(root)
