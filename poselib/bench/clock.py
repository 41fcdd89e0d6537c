"""Two ways to do the same, timed in turns, so that what else the machine does falls on both."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """A fast way against a plain one: what is done per call, in `unit`, and the seconds of every call of each."""

    section: str
    name: str
    unit: str
    amount: float
    plain_s: np.ndarray
    fast_s: np.ndarray

    def row(self) -> dict[str, str | float]:
        """Rates per second by medians, and the ratio of neighbouring calls: median and quartiles."""
        low, ratio, high = np.quantile(self.plain_s / self.fast_s, (0.25, 0.5, 0.75))
        plain, fast = (self.amount / np.median(seconds) for seconds in (self.plain_s, self.fast_s))
        about = {"section": self.section, "what": self.name, "unit": f"{self.unit}/s", "plain": plain, "fast": fast}
        return about | {"ratio": ratio, "quartile_1": low, "quartile_3": high}


def in_turns(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, np.ndarray]:
    """Seconds of every call, after one of each that does not count; name -> (repeats,)."""
    seconds = {name: [] for name in ways}
    for turn in range(1 + repeats):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: np.array(values) for name, values in seconds.items()}


def compared(section: str, name: str, unit: str, amount: float, plain: Callable, fast: Callable, repeats: int):
    """The comparison of two such calls."""
    seconds = in_turns({"plain": plain, "fast": fast}, repeats)
    return Comparison(section, name, unit, amount, seconds["plain"], seconds["fast"])


def slope(sizes, seconds) -> float:
    """By how many orders of magnitude a cost grows when a size grows by one."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
