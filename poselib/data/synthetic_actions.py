"""What people do in the fifteen actions of Human3.6M, as data: hand targets, gestures made of them, programmes.

The actions carry the names of Human3.6M's scenarios; their content follows the scenario's description, not a recording.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

HANDS: Mapping[str, tuple[float, float, float, float]] = {
    "rest": (0.06, 0.15, -0.96, 0),
    "lap": (0.52, -0.08, -0.52, 15),
    "mouth": (0.27, -0.22, 0.16, 5),
    "ear": (0.22, -0.12, 0.18, 15),
    "eyes": (0.46, -0.20, 0.30, 20),
    "chin": (0.28, -0.24, 0.06, 0),
    "ahead": (0.85, 0.10, 0.05, 10),
    "aside": (0.30, 0.85, 0.05, 10),
    "up": (0.25, 0.20, 0.90, 0),
    "shelf": (0.60, 0.10, 0.60, 10),
    "low": (0.62, 0.02, -0.62, 0),
    "talk": (0.50, 0.02, -0.38, 15),
    "open": (0.48, 0.35, -0.22, 20),
    "explain": (0.55, -0.15, -0.12, 15),
    "wave_out": (0.28, 0.42, 0.42, 10),
    "wave_in": (0.30, 0.08, 0.48, 10),
    "shake": (0.72, -0.05, -0.30, 5),
    "shake_low": (0.70, -0.05, -0.42, 5),
    "hip": (0.04, 0.10, -0.78, 65),
    "cross": (0.42, -0.42, -0.38, 15),
    "belly": (0.42, -0.24, -0.62, 10),
    "watch": (0.48, -0.26, -0.18, 35),
    "neck": (-0.02, -0.16, 0.36, 50),
    "back": (-0.28, -0.16, -0.80, 25),
    "pocket": (0.12, 0.12, -0.86, 15),
    "bag": (0.50, -0.05, -0.58, 5),
    "leash": (0.50, 0.12, -0.72, 5),
    "table": (0.62, -0.12, -0.42, 15),
    "prop": (-0.30, 0.28, -0.78, 10),
    "knee": (0.70, 0.02, -0.42, 15),
}
"""Wrist relative to the shoulder in arm lengths (forward, outward, up), and how far the elbow is lifted, degrees."""


@dataclass(frozen=True)
class Gesture:
    """Hand targets visited in order, `repeats` times, resting `hold` seconds at each (ranges).

    `other` says what the second hand does: a target's name, 'same' to mirror the first, 'idle' to hang or lie in the
    lap, None to stay as it is or fall idle.
    `trunk` and `head` are roll, pitch, yaw in degrees for a gesture of the left hand. `spread` is the standard
    deviation of every target, in arm lengths.
    """

    path: tuple[str, ...]
    repeats: tuple[int, int] = (1, 1)
    hold: tuple[float, float] = (0.1, 0.8)
    other: str | None = None
    trunk: tuple[float, float, float] = (0, 0, 0)
    head: tuple[float, float, float] = (0, 0, 0)
    spread: float = 0.06


GESTURES: Mapping[str, Gesture] = {
    "relax": Gesture(("rest",), hold=(0.3, 1.5), other="rest"),
    "swing": Gesture(("rest",), hold=(2, 5), other="rest", spread=0.02),
    "point": Gesture(("ahead",), (1, 2), (0.4, 1.4), trunk=(0, 4, 8), head=(0, 4, 15), spread=0.22),
    "point_aside": Gesture(("aside",), (1, 2), (0.3, 1.2), trunk=(-3, 0, 14), head=(0, 4, 35), spread=0.18),
    "talk": Gesture(("talk", "open", "explain"), (1, 2), (0, 0.5), spread=0.1),
    "talk_both": Gesture(("talk", "open"), (1, 2), (0, 0.5), other="same", spread=0.1),
    "explain": Gesture(("explain", "talk"), (1, 3), (0, 0.3), head=(0, 8, 10), spread=0.1),
    "bite": Gesture(("table", "mouth"), (1, 2), (0.2, 0.9), other="table", trunk=(0, 10, 0), head=(0, 16, 0)),
    "drink": Gesture(("table", "mouth", "table"), hold=(0.3, 1.2), other="idle", head=(0, -8, 0)),
    "wave": Gesture(("wave_out", "wave_in"), (2, 4), (0, 0.05), head=(0, 0, 10)),
    "wave_both": Gesture(("wave_out", "up"), (1, 3), (0, 0.1), other="same"),
    "handshake": Gesture(("shake", "shake_low"), (2, 3), (0, 0.05), trunk=(0, 8, -6)),
    "bow": Gesture(("rest",), hold=(0.3, 0.8), other="rest", trunk=(0, 38, 0), head=(0, 15, 0)),
    "phone": Gesture(("ear",), (1, 3), (1, 3), "idle", head=(-5, 6, 6), spread=0.04),
    "phone_talk": Gesture(("ear",), (1, 2), (0.8, 2), other="open", head=(-6, 6, 8), spread=0.05),
    "dial": Gesture(("belly", "explain"), hold=(0.5, 1.5), head=(0, 30, 0)),
    "photo": Gesture(("eyes",), (1, 2), (0.8, 2.5), other="same", head=(0, 2, 0), spread=0.05),
    "photo_high": Gesture(("shelf",), hold=(0.8, 2), other="same", head=(0, -12, 0), spread=0.06),
    "check": Gesture(("belly",), hold=(0.6, 1.6), other="same", head=(0, 30, 0)),
    "hips": Gesture(("hip",), hold=(0.8, 2.5), other="same", spread=0.03),
    "one_hip": Gesture(("hip",), hold=(0.8, 2.5), other="rest", trunk=(5, 0, 6), spread=0.03),
    "arms_up": Gesture(("up",), hold=(0.5, 1.8), other="same", trunk=(0, -6, 0), head=(0, -12, 0), spread=0.1),
    "star": Gesture(("aside",), hold=(0.5, 1.8), other="same", spread=0.12),
    "diagonal": Gesture(("up",), hold=(0.5, 1.8), other="aside", trunk=(-8, 0, 12), spread=0.12),
    "head_hand": Gesture(("neck",), hold=(0.6, 2), other="hip", trunk=(-5, 0, 0), spread=0.04),
    "neck_both": Gesture(("neck",), hold=(0.6, 2), other="same", trunk=(0, -5, 0), spread=0.04),
    "cross": Gesture(("cross",), hold=(1, 3), other="belly", spread=0.03),
    "think": Gesture(("chin",), hold=(0.8, 2.5), other="belly", head=(0, 8, 8), spread=0.03),
    "watch": Gesture(("watch",), hold=(0.5, 1.5), other="idle", head=(0, 26, 14), spread=0.04),
    "pockets": Gesture(("pocket",), hold=(0.8, 2.5), other="same", spread=0.03),
    "behind": Gesture(("back",), hold=(0.8, 2.5), other="same", spread=0.03),
    "scratch": Gesture(("neck", "ear"), (1, 2), (0, 0.3), head=(5, 8, -8)),
    "shelf": Gesture(("shelf", "bag"), hold=(0.3, 0.9), trunk=(0, -4, 4), head=(0, -14, 6), spread=0.14),
    "pick_low": Gesture(("low", "bag"), hold=(0.3, 0.8), trunk=(0, 50, 8), head=(0, 5, 0), spread=0.12),
    "pay": Gesture(("table", "shake"), hold=(0.2, 0.8), other="bag", trunk=(0, 6, 6), head=(0, 14, 8)),
    "carry": Gesture(("bag",), hold=(1, 3), other="same", spread=0.07),
    "smoke": Gesture(("mouth", "belly"), hold=(0.3, 1.6), other="idle", head=(0, -2, 0), spread=0.05),
    "smoke_low": Gesture(("mouth", "rest"), hold=(0.4, 2), other="idle", head=(0, -4, 0), spread=0.05),
    "leash": Gesture(("leash",), (2, 4), (0.1, 0.9), other="rest", trunk=(0, 4, -3), head=(0, 14, 0), spread=0.1),
    "tug": Gesture(("low", "leash"), hold=(0.1, 0.4), trunk=(0, 16, -12), head=(0, 18, 0), spread=0.12),
    "lap": Gesture(("lap",), hold=(0.5, 2), other="same", spread=0.06),
    "prop": Gesture(("prop",), hold=(1, 3), other="same", trunk=(0, -14, 0), spread=0.05),
    "prop_one": Gesture(("prop",), hold=(1, 3), other="knee", trunk=(6, -8, 10), spread=0.05),
    "hug_knees": Gesture(("knee",), hold=(1, 3), other="same", trunk=(0, 16, 0), spread=0.06),
    "companion": Gesture(("talk",), (1, 2), (0.2, 0.8), head=(0, 0, 40), trunk=(0, 0, 6), spread=0.12),
}


@dataclass(frozen=True)
class Posture:
    """A way of holding legs and pelvis.

    `height` of the pelvis in metres above the floor, or as a share of the standing height if `relative`; `behind`: the
    pelvis behind the feet, metres; `lean` of the trunk and `splay` of the knees in degrees; `reach`: how far the feet
    are then moved at most (forward, outward, metres; to the other side less); `stay`: seconds.
    """

    height: tuple[float, float]
    behind: tuple[float, float]
    lean: tuple[float, float]
    splay: tuple[float, float]
    reach: tuple[float, float]
    stay: tuple[float, float]
    relative: bool = False
    seat: bool = False


POSTURES: Mapping[str, Posture] = {
    "chair": Posture((0.51, 0.54), (0.34, 0.40), (-8, 14), (2, 22), (0.20, 0.08), (4, 10), seat=True),
    "floor": Posture((0.13, 0.17), (0.46, 0.54), (0, 20), (8, 40), (0.22, 0.10), (3, 8), seat=True),
    "crouch": Posture((0.40, 0.62), (0.14, 0.24), (14, 34), (8, 28), (0, 0), (0.6, 2.2), relative=True),
    "dip": Posture((0.80, 0.92), (0.06, 0.14), (4, 18), (5, 18), (0, 0), (0.4, 1.5), relative=True),
}


@dataclass(frozen=True)
class Programme:
    """One action: weights of what the legs do next and of what the hands do next.

    `legs`: 'stroll' (through the room), 'step' (a step or two, a turn), 'still', or a posture; `hands` and `seated`:
    gestures while up and while sitting; `pace` of walking in m/s; `bustle` scales weight shifts, trunk and head.
    """

    legs: Mapping[str, float]
    hands: Mapping[str, float]
    seated: Mapping[str, float] = field(default_factory=lambda: {"lap": 1})
    pace: tuple[float, float] = (0.75, 1.15)
    bustle: float = 1.0


CHAIR_HANDS = {
    "lap": 4,
    "hug_knees": 1,
    "talk": 2,
    "cross": 2,
    "think": 2,
    "neck_both": 1,
    "explain": 1,
    "talk_both": 1,
}
FLOOR_HANDS = {"prop": 2, "prop_one": 2, "hug_knees": 3, "lap": 3, "talk": 1, "think": 1}

PROGRAMMES: Mapping[str, Programme] = {
    "Directions": Programme(
        {"stroll": 4, "step": 4, "still": 3}, {"point": 5, "point_aside": 5, "talk": 2, "relax": 2, "arms_up": 1}
    ),
    "Discussion": Programme(
        {"stroll": 4, "step": 4, "still": 3},
        {"talk": 4, "talk_both": 4, "explain": 4, "relax": 2, "cross": 1, "hips": 1, "point": 1},
        bustle=1.2,
    ),
    "Eating": Programme(
        {"chair": 3, "stroll": 4, "still": 2, "step": 3},
        {"bite": 5, "drink": 3, "relax": 1, "carry": 1},
        {"bite": 6, "drink": 3, "lap": 1, "explain": 1},
    ),
    "Greeting": Programme(
        {"stroll": 5, "step": 4, "still": 2},
        {"wave": 5, "wave_both": 2, "handshake": 4, "bow": 2, "relax": 2, "talk": 1},
    ),
    "Phoning": Programme(
        {"stroll": 5, "step": 2, "still": 3, "chair": 1},
        {"phone": 6, "phone_talk": 4, "dial": 1},
        {"phone": 5, "phone_talk": 4, "dial": 1, "lap": 0.5},
    ),
    "Photo": Programme(
        {"stroll": 4, "step": 4, "still": 3, "dip": 2, "crouch": 2},
        {"photo": 6, "photo_high": 2, "check": 3, "relax": 1, "wave": 0.5},
    ),
    "Posing": Programme(
        {"step": 6, "still": 3, "stroll": 4, "dip": 1},
        {"hips": 3, "one_hip": 3, "arms_up": 2, "star": 2, "diagonal": 3, "head_hand": 3, "neck_both": 2, "behind": 1},
        bustle=1.3,
    ),
    "Purchases": Programme(
        {"stroll": 5, "step": 4, "still": 2, "crouch": 2},
        {"shelf": 4, "pick_low": 3, "pay": 2, "carry": 3, "check": 1},
    ),
    "Sitting": Programme({"chair": 4, "stroll": 2, "step": 1}, {"relax": 3, "talk": 1}, CHAIR_HANDS),
    "SittingDown": Programme({"floor": 4, "crouch": 2, "stroll": 4, "step": 2}, {"relax": 3, "hips": 1}, FLOOR_HANDS),
    "Smoking": Programme(
        {"stroll": 5, "still": 3, "step": 3, "chair": 2},
        {"smoke": 5, "smoke_low": 5, "talk": 1, "pockets": 1},
        {"smoke": 6, "lap": 2, "think": 1},
    ),
    "Waiting": Programme(
        {"stroll": 5, "still": 4, "step": 4, "chair": 1},
        {"cross": 3, "hips": 2, "watch": 3, "pockets": 2, "behind": 2, "scratch": 2, "relax": 2, "think": 1},
        CHAIR_HANDS,
        bustle=1.2,
    ),
    "WalkDog": Programme(
        {"stroll": 12, "step": 1, "still": 1, "dip": 0.7}, {"leash": 5, "tug": 2}, pace=(0.8, 1.35), bustle=1.2
    ),
    "Walking": Programme({"stroll": 1}, {"swing": 1}, pace=(0.95, 1.35), bustle=0.7),
    "WalkTogether": Programme({"stroll": 14, "still": 1}, {"swing": 5, "companion": 3, "talk": 1}, pace=(0.85, 1.2)),
}
