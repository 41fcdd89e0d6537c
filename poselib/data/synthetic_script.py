"""The plan of one take: what legs, hands, trunk and head do when, drawn at random from a programme."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from poselib.data.synthetic_actions import GESTURES, HANDS, POSTURES, Gesture, Posture, Programme
from poselib.data.synthetic_body import LIMITS, Body, two_bones
from poselib.data.synthetic_goals import Track
from poselib.data.synthetic_steps import Route

ROOM = 0.8
"""Largest distance of a person's goal from the middle of the room, metres."""
HEIGHT, BEHIND, LEAN, SPLAY, FEET = 0, 1, 2, slice(3, 5), slice(5, 9)


def _pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    shares = np.array(list(weights.values()), dtype=float)
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def reach(body: Body, hand: np.ndarray, lift: float) -> np.ndarray:
    """Arm angles, (4,), that bring the wrist to `hand` (3,), in arm lengths from the shoulder; see `Angles.arms`.

    `lift` raises the elbow, radians.
    """
    along = hand / np.linalg.norm(hand)
    # the elbow hangs: behind a lowered arm, below a stretched one, before a raised one
    down = np.array([0.3 * along[2] if along[2] > 0 else 0.6 * along[2], 0.3, -0.8])
    down -= along * (down @ along)
    pole = Rotation.from_rotvec(lift * along).apply(down)
    upper, fore = body.lengths["upper_arm"], body.lengths["forearm"]
    elbow, wrist = two_bones(hand * body.arm, pole, upper, fore, np.deg2rad(LIMITS["elbow"][1] - 3))
    up, lower = -elbow / upper, (wrist - elbow) / fore
    front = lower - up * (lower @ up)
    front /= np.linalg.norm(front)
    swing = Rotation.from_matrix(np.stack([front, np.cross(up, front), up], axis=-1))
    return np.append(swing.as_rotvec(), np.arccos(np.clip(-lower @ up, -1, 1)))


@dataclass
class Script:
    """Draws and holds the plan of one take of a body until `end` seconds; the plan begins before time 0.

    Tracks, radians and metres: `route`; `legs` as height, behind, lean, splay (2), feet moved forward and outward
    (2 x 2); `arms` left and right; `trunk` and `head` as roll, pitch, yaw of gestures; `mood` as
    their idle changes and sway.
    """

    rng: np.random.Generator
    body: Body
    programme: Programme
    end: float
    sitting: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self):
        rng = self.rng
        self.begin = -rng.uniform(4, 12)
        self.standing = self.body.ankle + 0.992 * self.body.leg
        angle, radius = rng.uniform(0, 2 * np.pi), ROOM * np.sqrt(rng.uniform())
        here = radius * np.array([np.cos(angle), np.sin(angle)])
        self.route = Route(here, rng.uniform(-np.pi, np.pi), rng.uniform(0.09, 0.13) * self.body.leg / 0.886)
        self.legs = Track(np.array([self.standing, 0, 0, 0.1, 0.1, 0, 0, 0, 0]))
        rest = reach(self.body, np.array(HANDS["rest"][:3]), 0)
        self.arms = [Track(rest), Track(rest)]
        self.trunk, self.head = Track(np.zeros(3)), Track(np.zeros(3))
        self.mood = Track(np.zeros(8))
        self.leader = int(rng.integers(2))
        self._plan_legs()
        self._plan_hands()
        self._plan_mood()

    def _plan_legs(self) -> None:
        time = self.begin
        while time < self.end:
            act = _pick(self.rng, self.programme.legs)
            if act == "stroll":
                time = self._stroll(time)
            elif act == "step":
                time = self._step(time) + self.rng.uniform(0, 0.8)
            elif act == "still":
                time += self.rng.uniform(0.6, 2.2)
            else:
                time = self._settle(time, POSTURES[act])

    def _stroll(self, time: float) -> float:
        rng, route = self.rng, self.route
        pace = rng.uniform(*self.programme.pace) * self.body.tempo
        stops = rng.integers(2, 6) if len(self.programme.legs) > 2 else rng.integers(8, 14)
        side = rng.choice([-1, 1])
        angle = np.arctan2(route.here[1], route.here[0]) + side * np.cumsum(rng.uniform(0.8, 1.3, stops))
        radius = rng.uniform(0.85, 1.2, stops) * np.where(rng.uniform(size=stops) < 0.07, -0.9, 1)
        radius[-1] *= ROOM
        way = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
        first = way[0] - route.here
        bend = np.angle(np.exp(1j * (np.arctan2(first[1], first[0]) - route.facing)))
        if abs(bend) > 0.9:
            time = route.go(time, route.here[None], 0.8 * bend, speed=0.5, stride=0.4)
        return route.go(time, way, None, speed=pace, stride=(0.28 + 0.3 * pace) * self.body.leg / 0.886)

    def _step(self, time: float) -> float:
        rng, route = self.rng, self.route
        goal = route.here + rng.normal(0, 0.16, 2)
        goal *= min(1, ROOM / np.linalg.norm(goal))
        return route.go(time, goal[None], rng.normal(0, 0.5), speed=0.45 * self.body.tempo, stride=0.3)

    def _settle(self, time: float, posture: Posture) -> float:
        """Goes down into a posture, moves the feet about if seated, and comes up again."""
        rng, scale = self.rng, self.body.leg / 0.886
        if self.route.here @ [np.cos(self.route.facing), np.sin(self.route.facing)] < 0:
            time = self.route.go(time, 0.5 * self.route.here[None], np.pi * 0.8, speed=0.6, stride=0.4)
        height = rng.uniform(*posture.height) * (self.standing if posture.relative else scale)
        behind, lean = rng.uniform(*posture.behind) * scale, np.deg2rad(rng.uniform(*posture.lean))
        splay = np.deg2rad(rng.uniform(*posture.splay, 2))
        depth = self.standing - height
        down = (0.5 + 1.3 * depth) / self.body.tempo * rng.uniform(0.8, 1.2)
        bow = np.deg2rad(42) * min(1, depth / 0.4)
        half = [self.standing - 0.5 * depth, 0.62 * behind, max(bow, lean), *splay, *np.zeros(4)]
        rest = [height, behind, lean, *splay, *np.zeros(4)]
        time = self._two_moves(time, half, rest, down)
        begun, leave = time - 0.5 * down, time + rng.uniform(*posture.stay)
        while posture.seat and time < leave:
            time = self._fidget(time, posture, rest)
        up = [self.standing, 0, 0, 0.1, 0.1, 0, 0, 0, 0]
        time = self._two_moves(max(time, leave), half, up, down * rng.uniform(0.8, 1.1))
        if posture.seat:
            self.sitting.append((begun, time - 0.5 * down))
        return time

    def _two_moves(self, time: float, half: list, goal: list, last: float) -> float:
        return self.legs.move(self.legs.move(time, 0.55 * last, np.array(half)), 0.6 * last, np.array(goal))

    def _fidget(self, time: float, posture: Posture, rest: list) -> float:
        rng = self.rng
        goal = np.array(rest)
        goal[LEAN] += rng.normal(0, 0.1)
        goal[SPLAY] = np.deg2rad(rng.uniform(*posture.splay, 2))
        goal[FEET] = rng.uniform(-0.4, 1, 4) * np.tile(posture.reach, 2) * self.body.leg / 0.886
        return self.legs.move(time, rng.uniform(0.6, 1.1), goal) + rng.uniform(0.2, 2.5)

    def _plan_hands(self) -> None:
        time = self.begin
        while time < self.end:
            seated = any(begin <= time <= end for begin, end in self.sitting)
            gesture = GESTURES[_pick(self.rng, self.programme.seated if seated else self.programme.hands)]
            time = self._gesture(time, gesture, "lap" if seated else "rest")

    def _gesture(self, time: float, gesture: Gesture, idle: str) -> float:
        rng = self.rng
        lead = self.leader if rng.uniform() < 0.7 else 1 - self.leader
        other = gesture.other or ("idle" if rng.uniform() < 0.6 else None)
        other = idle if other == "idle" else other
        sway = np.array([1, 1, 1]) if lead == 0 else np.array([-1, 1, -1])
        posture = [np.deg2rad(np.array(part) * sway * rng.normal(1, 0.2)) for part in (gesture.trunk, gesture.head)]
        for target in gesture.path * int(rng.integers(gesture.repeats[0], gesture.repeats[1] + 1)):
            arrival = self._hand(time, lead, target, gesture.spread)
            if other:
                self._hand(time + rng.uniform(0, 0.1), 1 - lead, target if other == "same" else other, gesture.spread)
            for track, goal in zip((self.trunk, self.head), posture, strict=True):
                if not np.array_equal(track.goal, goal):
                    track.move(time, max(0.4, arrival - time), goal)
            time = arrival + rng.uniform(*gesture.hold)
        return time

    def _hand(self, time: float, side: int, target: str, spread: float) -> float:
        rng, track = self.rng, self.arms[side]
        hand = np.array(HANDS[target][:3]) + rng.normal(0, spread, 3) * self.body.amplitude
        hand *= min(1, 0.985 / np.linalg.norm(hand))
        goal = reach(self.body, hand, np.deg2rad(HANDS[target][3] + rng.normal(0, 10)))
        far = np.linalg.norm(goal - track.goal)
        return track.move(time, (0.26 + 0.27 * far) * rng.uniform(0.8, 1.25) / self.body.tempo, goal)

    def _plan_mood(self) -> None:
        rng, time = self.rng, self.begin
        # roll, pitch, yaw of trunk, then of head, then sway forward and aside
        width = np.array([0.08, 0.12, 0.14, 0.08, 0.16, 0.36, 0.03, 0.05]) * self.programme.bustle * self.body.amplitude
        while time < self.end:
            goal = np.where(
                rng.uniform(size=8) < 0.6, np.clip(rng.normal(0, width), -2 * width, 2 * width), self.mood.goal
            )
            time = self.mood.move(time, rng.uniform(0.5, 1.3), goal) + rng.uniform(0, 1.0)
