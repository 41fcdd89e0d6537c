"""From 2D keypoints of any detector to 3D sequences: `lift`, the networks that do it, and what can be saved of it."""

from poselib.lifting.live import Live
from poselib.lifting.people import lift
from poselib.lifting.sequences import Lifted, Person
from poselib.lifting.trained import Description, Trained, find

__all__ = ["Description", "Lifted", "Live", "Person", "Trained", "find", "lift"]
