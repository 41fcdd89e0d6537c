"""Which prepared set an experiment works on, and in which joints."""

from pathlib import Path

from poselib.data.prepared import PreparedSet, open_prepared
from poselib.experiments import Experiment
from poselib.skeleton import SKELETONS


def opened(root: Path, experiment: Experiment, role: str | None = None) -> PreparedSet:
    """The set of the experiment's role, or of another one, in the joints that its model has.

    Raises:
        InputError: no such set, or a joint that cannot be made from those of the set.
    """
    own = open_prepared(root / "data/prepared" / experiment.role)
    own = own.in_joints(SKELETONS[experiment.joints or own.skeleton.name])
    return open_prepared(root / "data/prepared" / role).in_joints(own.skeleton) if role else own
