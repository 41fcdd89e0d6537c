"""2D keypoints as other tools' files hold them, in one typed form: `read_keypoints(path)` gives `Track`s."""

from poselib.keypoints.joint_sets import to_h36m_17
from poselib.keypoints.reading import read_keypoints
from poselib.keypoints.tracks import Track

__all__ = ["Track", "read_keypoints", "to_h36m_17"]
