"""Stage prepare: CMU's clips as motions that no camera filmed, at the rate of the network."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from poselib.data.cmu import cmu_motions, subject_split
from poselib.data.cmu_files import CMU_CREDIT, credits, find_clips
from poselib.data.prepared import write_prepared
from poselib.errors import InputError
from poselib.stages.lifter.settings import PREPARED, Settings


def run(root: Path, settings: Settings) -> None:
    """Write data/prepared/lifter.

    Raises:
        InputError: no clips, clips of HDM05 among them, fewer than 3 subjects, or a fault in a file.
    """
    folder = root / settings.path
    splits = checked_split(folder)
    found = cmu_motions(folder, fps=settings.fps)
    with tqdm(found, desc="motions", unit="clip", total=len(find_clips(folder))) as motions:
        named = (replace(motion, split=splits[motion.subject]) for motion in motions)
        place = root / PREPARED
        place.parent.mkdir(parents=True, exist_ok=True)
        prepared = write_prepared(named, place, role="amass", source="cmu", credits=(CMU_CREDIT,))
    frames = Counter()
    for video in prepared.videos:
        frames[video.split] += video.frames
    print(f"lifter: {len(prepared.videos)} clips, frames {dict(frames)}, fingerprint {prepared.fingerprint[:12]}")


def checked_split(folder: Path) -> dict[str, str]:
    """Subject -> split of a folder whose clips may be in what ships.

    Raises:
        InputError: as `run`.
    """
    clips = find_clips(folder)
    if credits(folder) != (CMU_CREDIT,):
        other = next(clip for clip in clips if clip.stem.startswith("HDM_"))
        raise InputError(
            f"{other.path}: is of HDM05, whose licence is share-alike; "
            "name a folder of CMU clips alone in lifter/params.yaml, path"
        )
    return subject_split({clip.subject for clip in clips})
