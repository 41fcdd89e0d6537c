"""Walking: a path over the floor, counted in steps, and the feet that stay where they were put down."""

from dataclasses import dataclass, field

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from poselib.data.synthetic_goals import minimum_jerk, soft_clip

GRID = np.linspace(0, 1, 65)
TURN_PER_STEP = 0.8
"""Radians."""
EDGE = 1.13
"""Nobody walks further from the middle of the room, metres."""
HEEL = 0.08
"""How far the ankle rises while the toes still stand, metres."""


@dataclass(frozen=True)
class Bout:
    """An unbroken run of `steps` steps from `begin` on, `last` seconds; progress 0 to 1 gives place and heading."""

    begin: float
    last: float
    steps: int
    ramp: float
    place: CubicSpline
    heading: CubicSpline

    def progress(self, time: np.ndarray) -> np.ndarray:
        """Share of the way covered at the given seconds, (F,): speed rises and falls within `ramp` seconds."""
        since = np.clip(time - self.begin, 0, self.last)
        way = self.last - self.ramp
        return (_covered(since, self.ramp) - _covered(since - way, self.ramp)) / way


def _covered(time: np.ndarray, ramp: float) -> np.ndarray:
    """Way covered by something that speeds up to 1 within `ramp` seconds from time 0 on."""
    x = np.clip(time / ramp, 0, 1)
    return ramp * (x**3 - x**4 / 2) + np.maximum(time - ramp, 0)


def _path(points: np.ndarray) -> tuple[CubicSpline, float]:
    """A smooth way through points (N, 2), run through at even speed from 0 to 1, and its length in metres."""
    chords = np.linalg.norm(np.diff(points, axis=0), axis=-1) + 1e-3
    rough = CubicSpline(np.append(0, np.cumsum(chords)), points)(np.linspace(0, chords.sum(), 40 * len(points)))
    covered = np.append(0, np.cumsum(np.linalg.norm(np.diff(rough, axis=0), axis=-1) + 1e-6))
    even = np.linspace(0, covered[-1], 6 * len(points))
    knots = np.stack([np.interp(even, covered, rough[:, axis]) for axis in (0, 1)], axis=-1)
    far = np.linalg.norm(knots, axis=-1, keepdims=True) + 1e-6
    knots *= soft_clip(far, -EDGE, EDGE, 0.25) / far
    return CubicSpline(even / even[-1], knots), float(covered[-1])


@dataclass
class Route:
    """Plans bouts one after the other and keeps where the person stands, (x, y) metres, heading radians.

    Even steps are the left foot's, odd ones the right's. `prints` holds the place of each foot after each step.
    """

    here: np.ndarray
    facing: float
    stance: float
    bouts: list[Bout] = field(default_factory=list)
    prints: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self):
        self.origin, self.start = self.here, self.facing
        self.prints = [self._print(self.here, self.facing, n) for n in (0, 1)]

    def _print(self, place: np.ndarray, heading: np.ndarray, step: np.ndarray) -> np.ndarray:
        side = np.where(np.asarray(step) % 2 == 0, self.stance, -self.stance)
        return place + np.stack([-side * np.sin(heading), side * np.cos(heading)], axis=-1)

    def go(self, begin: float, way: np.ndarray, turn: float | None, *, speed: float, stride: float) -> float:
        """Walks through the points `way` (N, 2); returns the time of arrival.

        `turn` is the change of heading for steps aside or on the spot; None looks where one walks. `speed` is in
        metres and `stride` in metres per step.
        """
        place, length = _path(np.concatenate([self.here[None], way]))
        headings = self.facing + minimum_jerk(GRID) * (turn or 0)
        if turn is None:
            headings = self._tangents(place, length)
        steps = max(2, round(length / stride), int(np.ceil(abs(turn or 0) / TURN_PER_STEP)))
        last = max(length / speed + 0.4, 0.5 * steps)
        bout = Bout(begin, last, steps, min(0.8, last / 2), place, CubicSpline(GRID, headings, bc_type="clamped"))
        self._tread(bout)
        return begin + last

    def _tangents(self, place: CubicSpline, length: float) -> np.ndarray:
        """Headings along a path, (65,): the direction of walking, reached from the present heading within 0.5 m."""
        ahead = place(GRID, 1)
        course = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
        course += self.facing - course[0] + np.angle(np.exp(1j * (course[0] - self.facing)))
        headings = self.facing + minimum_jerk(GRID * length / 0.5) * (course - self.facing)
        smooth = gaussian_filter1d(headings, 2, mode="nearest")
        return smooth + (self.facing - smooth[0]) * (1 - GRID)

    def _tread(self, bout: Bout) -> None:
        """Puts the feet down: each where the body will be when it stands over that foot."""
        first = len(self.prints) - 2
        steps = np.arange(first, first + bout.steps)
        over = np.minimum((steps - first + 1.5) / bout.steps, 1)
        over[-2] = 1 - 0.15 / bout.steps  # nobody stops in mid-stride
        self.prints.extend(self._print(bout.place(over), bout.heading(over), steps))
        self.bouts.append(bout)
        self.here, self.facing = bout.place(1.0), float(bout.heading(1.0))

    def body(self, time: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Place (F, 2) metres, heading (F,) radians and steps done so far (F,) at the given seconds."""
        place, heading, steps = (
            np.tile(self.origin, (len(time), 1)),
            np.full(len(time), self.start),
            np.zeros(len(time)),
        )
        for bout in self.bouts:
            share = bout.progress(time)
            place += bout.place(share) - bout.place(0.0)
            heading += bout.heading(share) - bout.heading(0.0)
            steps += bout.steps * share
        return place, heading, steps

    def feet(self, steps: np.ndarray, walk: np.ndarray, heading: np.ndarray, ankle: float) -> np.ndarray:
        """Ankles, (F, 2, 3) metres, world, as (left, right), after the given number of steps, (F,).

        `walk` (F,) is 0 at rest and 1 at full pace: the heel of the rear foot then rises before the foot leaves.
        """
        forward = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        prints = np.array(self.prints)
        both = []
        for foot in (0, 1):
            number = 2 * np.floor((steps - foot) / 2).astype(int) + foot
            share = np.clip(steps - number, 0, 1)
            before = prints[np.maximum(number, foot)]
            after = prints[np.clip(number + 2, foot, len(prints) - 1)]
            far = np.linalg.norm(after - before, axis=-1)
            place = before + minimum_jerk((share - 0.06) / 0.88)[:, None] * (after - before)
            # skewed: the heel is highest soon after push-off
            rise = (0.05 + 0.15 * np.tanh(far)) * 20 * share**2 * (1 - share) ** 3 * 1.45
            late = minimum_jerk((steps - number - 1.3) / 0.7) + (1 - minimum_jerk(share / 0.55)) * (steps - number < 1)
            heel = HEEL * walk * late
            both.append(np.column_stack([place + 0.7 * heel[:, None] * forward, ankle + rise + heel]))
        return np.stack(both, axis=1)
