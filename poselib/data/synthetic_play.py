"""Plays a script: the plan of a take becomes joint angles, with what gait and balance add to them."""

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation
from scipy.special import logsumexp

from poselib.data.synthetic_body import Angles, Body, hips, pelvis_rotation, positions
from poselib.data.synthetic_goals import drift, soft_clip
from poselib.data.synthetic_script import BEHIND, FEET, HEIGHT, LEAN, SPLAY, Script
from poselib.skeleton import H36M_17

UPPER = [number for name, number in H36M_17.index.items() if not name.endswith(("hip", "knee", "ankle"))]


def play(script: Script, time: np.ndarray, room: float = 1.0) -> Angles:
    """Joint angles of a script at the given seconds, (F,); `room` below 1 draws all ways and steps together."""
    body = script.body
    fps = 1 / (time[1] - time[0])
    place, heading, steps = script.route.body(time)
    walk = np.clip(np.gradient(steps, time) / 1.9, 0, 1.2) * body.amplitude
    ankles = script.route.feet(steps, walk, heading, body.ankle)
    place, ankles[..., :2] = room * place, room * ankles[..., :2]
    legs, mood = script.legs.values(time), script.mood.values(time)
    noise = drift(script.rng, len(time), 18, 0.16 * fps) * 0.012

    tilt, spine, neck = _trunk(script, time, legs, mood + np.pad(noise[:, :6], ((0, 0), (0, 2))), walk, steps)
    arms = _arms(script, time, 1.5 * noise[:, 6:14], walk * np.cos(np.pi * steps))

    forward = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    left = np.stack([-forward[:, 1], forward[:, 0]], axis=-1)
    still = 1 - np.clip(walk, 0, 1)
    # the pelvis goes back as the trunk bends, and over the foot that stands
    back = legs[:, BEHIND] + 0.28 * np.sin(tilt[:, 1]) - mood[:, 6] * still
    aside = mood[:, 7] * still - 0.028 * walk * np.sin(np.pi * steps)
    place = place - back[:, None] * forward + aside[:, None] * left
    moved = legs[:, FEET].reshape(-1, 2, 2)
    ankles[..., :2] += moved[..., :1] * forward[:, None] + moved[..., 1:] * left[:, None] * np.array([[1], [-1]])
    ankles[..., :2] += 0.2 * noise[:, 14:].reshape(-1, 2, 2)
    ankles[..., 2] += 0.05 * script.legs.effort(time)[:, FEET].reshape(-1, 2, 2).max(axis=-1)
    pelvis = np.column_stack(
        [place, _height(body, legs[:, HEIGHT], place, pelvis_rotation(heading, tilt), ankles, fps)]
    )
    angles = Angles(pelvis, heading, tilt, spine, neck, arms, ankles, legs[:, SPLAY])
    pelvis[:, 2] += _rescue(positions(body, angles), fps)
    return angles


def _trunk(
    script: Script, time: np.ndarray, legs: np.ndarray, mood: np.ndarray, walk: np.ndarray, steps: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Roll, pitch, yaw of pelvis, spine and neck, (F, 3) each: gestures and mood, gait, and the bend of a posture."""
    beat, aside = walk * np.cos(np.pi * steps), walk * np.sin(np.pi * steps)
    trunk = script.trunk.values(time) + mood[:, :3]
    # whoever sits low rolls the pelvis back and has less room to bend; the spine makes up for it
    low = np.clip(1 - legs[:, HEIGHT] / script.standing, 0, 1)
    fold = soft_clip(legs[:, LEAN] + 0.06 * walk + trunk[:, 1], -0.6, 1.35, 0.2) * (1 - 0.5 * low)
    nod = 0.055 * walk * np.cos(2 * np.pi * steps)
    lateral = 0.05 * aside + 0.7 * mood[:, 7] * (1 - np.clip(walk, 0, 1))
    tilt = np.stack([lateral, 0.4 * fold + nod - 0.6 * low, 0.04 * beat], axis=-1)
    spine = np.stack([trunk[:, 0] - 0.4 * lateral, fold - tilt[:, 1] + 0.8 * nod, trunk[:, 2] - 0.12 * beat], axis=-1)
    # the head keeps level
    neck = script.head.values(time) + mood[:, 3:6] - 0.5 * spine * [1, 0.8, 0.3] - 0.4 * tilt * [1, 1, 0]
    return tilt, _limit(spine, 48), _limit(neck, 60)


def _arms(script: Script, time: np.ndarray, noise: np.ndarray, beat: np.ndarray) -> np.ndarray:
    """Arm angles (F, 2, 4), with the swing of walking where an arm hangs."""
    arms = np.stack([track.values(time) for track in script.arms], axis=1) + noise.reshape(-1, 2, 4)
    hanging = np.clip(1 - np.linalg.norm(arms[..., :3], axis=-1) / 1.2, 0, 1)
    swing = np.stack([beat, -beat], axis=-1) * (0.12 + 0.35 * hanging)
    arms[..., 1] -= swing
    bend = arms[..., 3] + 0.35 * np.maximum(swing + 0.1, 0) * hanging
    arms[..., 3] = soft_clip(bend, 0.03, np.deg2rad(154), 0.08)
    return arms


def _limit(angles: np.ndarray, degrees: float) -> np.ndarray:
    """Roll, pitch, yaw (F, 3) shortened smoothly so that the whole bend stays below `degrees`."""
    size = np.linalg.norm(angles, axis=-1, keepdims=True) + 1e-9
    most = np.deg2rad(degrees)
    return angles / size * soft_clip(size, -most, most, 0.3 * most)


def _height(
    body: Body, wished: np.ndarray, place: np.ndarray, rotation: Rotation, ankles: np.ndarray, fps: float
) -> np.ndarray:
    """Pelvis height, (F,): as wished, but such that both feet can stay where they are."""
    offset = hips(body, rotation)
    flat = np.sum((ankles[..., :2] - place[:, None] - offset[..., :2]) ** 2, axis=-1)
    # a little more than the leg's length, for the heel of the rear foot may rise
    most = ankles[..., 2] + np.sqrt(np.maximum((1.01 * body.leg) ** 2 - flat, 0.01)) - offset[..., 2]
    bent = body.leg * np.sin(np.deg2rad(20))
    least = ankles[..., 2] + np.sqrt(np.maximum(bent**2 - flat, 0)) - offset[..., 2]
    below = -logsumexp(-80 * np.column_stack([wished, most]), axis=-1) / 80
    above = logsumexp(80 * np.column_stack([below, least]), axis=-1) / 80
    return gaussian_filter1d(above, 0.05 * fps, mode="nearest")


def _rescue(poses: np.ndarray, fps: float) -> np.ndarray:
    """How far to lift the body so that no hand, head or seat comes below 4 cm, (F,) metres."""
    upper = np.min(poses[:, :, 2][:, UPPER], axis=-1)
    window = 2 * int(0.25 * fps) + 1
    return gaussian_filter1d(maximum_filter1d(np.maximum(0.04 - upper, 0), window), 0.1 * fps, mode="nearest")
