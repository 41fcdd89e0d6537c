"""All stages one after the other on small sizes, in a folder of their own."""

from pathlib import Path

from poselib.stages.lifter import card, measure, prepare, train
from poselib.stages.lifter.settings import Settings


def run(root: Path, settings: Settings) -> None:
    """Write into work/rehearsal what the stages would write into the project.

    Raises:
        InputError: as the stages.
    """
    settings = small(settings, root)
    for stage in (prepare, train, measure, card):
        stage.run(root / "work/rehearsal", settings)


def small(settings: Settings, root: Path) -> Settings:
    """The settings with the parts replaced that `rehearsal` names."""
    parts = {name: getattr(settings, name).model_copy(update=part) for name, part in settings.rehearsal.items()}
    return settings.model_copy(update={**parts, "path": str((root / settings.path).resolve())})
