"""Procedural human motion: the embedded stand-in for the recordings of Human3.6M.

Nothing here is recorded. People of seven builds play fifteen programmes; what they do next, where, how far and for how
long is drawn at random; the style is the same for all, so that training and test subjects differ as people do, by
bones, tempo and amplitude.
"""

from collections.abc import Iterator

import numpy as np

from poselib.data.sequences import Motion
from poselib.data.synthetic_actions import PROGRAMMES
from poselib.data.synthetic_body import draw_body, positions
from poselib.data.synthetic_play import play
from poselib.data.synthetic_script import Script
from poselib.errors import InputError
from poselib.skeleton import H36M_17

SUBJECTS = (1, 5, 6, 7, 8, 9, 11)
EDGE = 1.58
"""The room reaches this far from its middle to each side, metres."""
MISSING = ("S11", "Directions")
"""The one take that users of Human3.6M leave out."""


def synthetic_motions(*, seconds: float, seed: int, fps: float = 50.0) -> Iterator[Motion]:
    """All 209 takes, subject by subject: S1 to S11, 15 actions, two takes each, `H36M_17`, metres, world, z up.

    Each take depends on seed, subject, action and number alone, not on the takes before it. Positions are
    (F, 17, 3) float32 with F = seconds x fps; the floor is at z = 0 and the person within 1.6 m of the origin.

    Raises:
        InputError: `seconds` or `fps` gives fewer than two frames, or the seed is negative.
    """
    frames = round(seconds * fps) if np.isfinite(seconds * fps) else 0
    if frames < 2 or fps <= 0:
        raise InputError(f"seconds = {seconds} at fps = {fps} gives fewer than two frames; give a longer take")
    if seed < 0:
        raise InputError(f"seed = {seed} is negative; use 0 or more")
    return _motions(np.arange(frames) / fps, seed, fps)


def _motions(time: np.ndarray, seed: int, fps: float) -> Iterator[Motion]:
    for number in SUBJECTS:
        for action in PROGRAMMES:
            for take in range(2):
                subject, name = f"S{number}", f"{action} {take}" if take else action
                if (subject, name) != MISSING:
                    yield Motion(subject, name, H36M_17, fps, synthetic_take(number, action, take, time, seed))


def synthetic_take(person: int, action: str, take: int, time: np.ndarray, seed: int) -> np.ndarray:
    """One take, (F, 17, 3) float32, at the times (F,) in seconds; any number is a person."""
    body = draw_body(np.random.default_rng([seed, person]))
    rng = np.random.default_rng([seed, person, list(PROGRAMMES).index(action), take])
    return _filled_room(Script(rng, body, PROGRAMMES[action], time[-1]), time).astype(np.float32)


def _filled_room(script: Script, time: np.ndarray) -> np.ndarray:
    """A script played, (F, 17, 3) metres, world, moved or walked in a smaller room if someone reaches out."""
    for room in 0.96 ** np.arange(20):
        poses = positions(script.body, play(script, time, room))
        low, high = poses[..., :2].min(axis=(0, 1)), poses[..., :2].max(axis=(0, 1))
        if (high - low).max() < 2 * EDGE:
            break
    poses[..., :2] += np.maximum(-EDGE - low, 0) - np.maximum(high - EDGE, 0)
    return poses
