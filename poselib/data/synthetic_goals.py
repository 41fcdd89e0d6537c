"""Moves from goal to goal with the bell-shaped speed profile of human reaches."""

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d


def minimum_jerk(progress: np.ndarray) -> np.ndarray:
    """Share of the way covered, 0 to 1, at a share of the time, any shape; clipped outside (Flash and Hogan, 1985)."""
    s = np.clip(progress, 0, 1)
    return s**3 * (10 - 15 * s + 6 * s**2)


def soft_clip(values: np.ndarray, low: float, high: float, margin: float) -> np.ndarray:
    """Values bent smoothly into (low, high), any shape and unit; unchanged further than `margin` from the limits."""
    above = high - margin + margin * np.tanh((values - high + margin) / margin)
    below = low + margin + margin * np.tanh((values - low - margin) / margin)
    return np.where(values > high - margin, above, np.where(values < low + margin, below, values))


def drift(rng: np.random.Generator, frames: int, channels: int, width: float) -> np.ndarray:
    """Smooth noise of unit variance, (F, C); `width` is the standard deviation of the smoothing in frames."""
    white = rng.standard_normal((frames, channels))
    return gaussian_filter1d(white, width, axis=0, mode="wrap") * np.sqrt(2 * np.sqrt(np.pi) * width)


@dataclass
class Track:
    """Goals of C channels in the order of time; the value rests at each goal until the next move begins."""

    start: np.ndarray
    begins: list[float] = field(default_factory=list)
    lasts: list[float] = field(default_factory=list)
    goals: list[np.ndarray] = field(default_factory=list)

    @property
    def goal(self) -> np.ndarray:
        """Where the last planned move ends, (C,)."""
        return self.goals[-1] if self.goals else self.start

    @property
    def free(self) -> float:
        """The time in seconds from which another move may begin without overlapping the last one."""
        return self.begins[-1] + self.lasts[-1] if self.begins else -np.inf

    def move(self, begin: float, last: float, goal: np.ndarray) -> float:
        """Plans a move of `last` seconds, later if one is under way, and returns the time of arrival."""
        self.begins.append(max(begin, self.free))
        self.lasts.append(last)
        self.goals.append(np.asarray(goal, dtype=float))
        return self.free

    def _progress(self, time: np.ndarray) -> np.ndarray:
        return (time[:, None] - np.array(self.begins)) / np.array(self.lasts)

    def values(self, time: np.ndarray) -> np.ndarray:
        """The channels at the given seconds, (F,) -> (F, C). Always between two successive goals."""
        steps = np.diff(np.array([self.start, *self.goals]), axis=0)
        return (
            self.start + minimum_jerk(self._progress(time)) @ steps
            if self.goals
            else np.tile(self.start, (len(time), 1))
        )

    def effort(self, time: np.ndarray) -> np.ndarray:
        """0 at rest, 1 in the middle of each move, (F, C), zero for channels that a move leaves alone."""
        steps = np.diff(np.array([self.start, *self.goals]), axis=0)
        s = np.clip(self._progress(time), 0, 1)
        return 16 * (s * (1 - s)) ** 2 @ (np.abs(steps) > 1e-3)
