"""A network passed over a sequence, a bounded number of windows at a time, with all frames or only a few ahead."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from poselib.data.checks import check_screen
from poselib.data.person_frame import from_person, of_person
from poselib.data.prepared import Derived
from poselib.data.windows import Windows, centred, cut, evaluation_starts
from poselib.errors import InputError
from poselib.inference import lift_windows
from poselib.lifting.trained import Trained
from poselib.strategies import STRATEGIES

WINDOWS_AT_A_TIME = 256


def passes(trained: Trained, screen: np.ndarray, look_ahead: int | None = None) -> Iterator[np.ndarray]:
    """Poses of every `frame_stride`-th frame from the first, in order, some at a time, flip-averaged.

    What is in memory does not grow with the sequence, if `screen` is a memory map and the poses are not kept.

    Args:
        screen: (F, J, 2) normalised screen coordinates at the network's frame rate, without gaps.
        look_ahead: how many frames after a frame may have an influence on its pose; None for all of the window.

    Returns:
        Blocks (n, J, 3) metres, root-relative, camera frame.

    Raises:
        InputError: pixels, NaN or infinity.
    """
    windows, kept = plan(trained, len(screen), look_ahead)
    done = -1
    for begin in range(0, len(windows), WINDOWS_AT_A_TIME):
        numbers, poses = lift_some(trained, screen, windows.select(slice(begin, begin + WINDOWS_AT_A_TIME)), kept)
        # The last window of a sequence may begin within the one before.
        taken = np.concatenate(([done], np.maximum.accumulate(numbers[:, -1])[:-1]))
        done = numbers[-1, -1]
        yield poses[(numbers > taken[:, None]) & (numbers < len(screen))]


def lift_some(
    trained: Trained, screen: np.ndarray, windows: Windows, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (n, K) of the frames that windows give poses of, and these, (n, K, J, 3); arguments as `plan` gives."""
    about, model = trained.about, trained.model
    numbers = windows.starts[:, None] + kept * windows.step
    if not len(windows):
        return numbers, np.zeros((*numbers.shape, len(trained.skeleton), 3), np.float32)
    seen = Derived(screen.shape, _by_itself, (screen,)) if about.assumed_focal else screen
    given = (STRATEGIES[about.strategy], seen, windows, trained.skeleton.flip, about.input_stride)
    clips = lift_windows(model, *given)[0]
    clips = clips if model.many_to_one else clips[:, kept]
    if about.assumed_focal:
        clips = from_person(clips, screen[windows.frame_numbers()[:, kept]], 2 * about.assumed_focal)
    return numbers, clips


def _by_itself(screen: np.ndarray) -> np.ndarray:
    check_screen(screen, "input poses")
    return of_person(screen)


def plan(trained: Trained, frames: int, look_ahead: int | None) -> tuple[Windows, np.ndarray]:
    """The windows over a sequence, and which places of each give poses.

    Without a bound they are those of the evaluation. With one, a many-to-one network sees the last allowed frame
    repeated up to its window's end; a sequence-to-sequence one gives the last `look_ahead` + 1 frames of a window.
    """
    model, step, video = trained.model, trained.about.frame_stride, [(0, frames)]
    length = model.config.frames
    if model.many_to_one:
        windows = centred(video, length, step, step)
        if look_ahead is not None:
            windows = replace(windows, last=np.minimum(windows.last, windows.centres() + look_ahead))
        return windows, np.array([length // 2])
    if look_ahead is None:
        return cut(video, length, evaluation_starts), np.arange(length)
    fresh = min(look_ahead + 1, length)
    ends = np.arange(fresh - 1, frames + fresh - 1, fresh)
    return cut(video, length, lambda *_: ends - length + 1), np.arange(length - fresh, length)


def ahead_at_the_network(trained: Trained, look_ahead: int, fps: float) -> int:
    """How far a window may reach ahead of its frame, in frames of the network, that no pose needs more than is allowed.

    A pose between two that the network gives waits for the later one, and so does a frame that is made of two others
    because the rates differ.

    Args:
        look_ahead: allowed, in frames of the input, which has `fps` frames per second.

    Raises:
        InputError: fewer than these need.
    """
    about = trained.about
    if same := np.isclose(fps, about.fps):
        ahead, least = look_ahead - about.frame_stride + 1, about.frame_stride - 1
    else:
        ahead = int(np.floor(look_ahead * about.fps / fps + 1e-9)) - about.frame_stride
        least = int(np.ceil(about.frame_stride * fps / about.fps - 1e-9))
    if look_ahead < 0 or ahead < 0:
        sees = f"sees one frame in {about.frame_stride}" if about.frame_stride > 1 else "sees every frame"
        why = f"{trained.name} {sees} at {about.fps:g} fps and the input has {'as many' if same else f'{fps:g}'}"
        raise InputError(f"look_ahead {look_ahead}: {why}, so poses wait for later frames; allow at least {least}")
    return ahead
