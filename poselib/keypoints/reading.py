"""Which tool wrote a file of keypoints, seen from its content, and the reader for it."""

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from poselib.errors import InputError
from poselib.keypoints.coco import read_coco
from poselib.keypoints.content import given_size, parse_json, read_text
from poselib.keypoints.mediapipe import read_mediapipe_csv, read_mediapipe_json
from poselib.keypoints.mmpose import read_mmpose
from poselib.keypoints.npz_files import entries_of, read_detectron, read_plain
from poselib.keypoints.openpose import read_openpose
from poselib.keypoints.table import PersonTable, read_csv
from poselib.keypoints.tracks import Track

FORMATS = ("openpose", "coco", "mmpose", "mediapipe", "detectron", "npz", "csv")
"""`coco` is also what AlphaPose writes; `npz` and `csv` are plain arrays and tables."""


def read_keypoints(
    path: str | Path,
    format: str | None = None,
    *,
    image_size: tuple[int, int] | None = None,
    joints: str | None = None,
) -> list[Track]:
    """The people of a file, or of OpenPose's folder, each as one `Track`, in the order in which they appear.

    Args:
        format: one of `FORMATS`; recognised from the content if None, and checked against it otherwise.
        image_size: (width, height) in pixels, where the file does not say it; MediaPipe's landmarks need it.
        joints: the joint set of a plain array that does not say it.

    Raises:
        InputError: no such file, unknown format, another image size than the file's, or content that the tool does not
            write; nothing in it is executed.
    """
    path = Path(path)
    if format not in (None, *FORMATS):
        raise InputError(f"{path}: no format {format!r}; name one of {', '.join(FORMATS)}")
    if not path.is_file() and not path.is_dir():
        raise InputError(f"{path}: no such file; check its name")
    if image_size is not None:
        image_size = given_size(image_size, str(path))
    found, content = _recognised(path)
    if format not in (None, found):
        raise InputError(f"{path}: looks like {found}, not {format}; leave the format out or name the right file")
    tracks = _read(path, found, content, image_size, joints)
    if image_size and (size := tracks[0].size) not in (None, image_size):
        raise InputError(f"{path}: its image is {size[0]}x{size[1]}, not {image_size[0]}x{image_size[1]}; correct one")
    return [replace(track, size=track.size or image_size) for track in tracks]


def _read(path: Path, found: str, content: Any, size: tuple[int, int] | None, joints: str | None) -> list[Track]:
    if found == "mediapipe":
        read = read_mediapipe_csv if isinstance(content, PersonTable) else read_mediapipe_json
        return read(path, content, size)
    if found in ("coco", "mmpose", "csv"):
        return {"coco": read_coco, "mmpose": read_mmpose, "csv": read_csv}[found](path, content)
    return (
        read_plain(path, joints)
        if found == "npz"
        else {"openpose": read_openpose, "detectron": read_detectron}[found](path)
    )


def _recognised(path: Path) -> tuple[str, Any]:
    """The format, and the content as far as it had to be read to tell."""
    if path.is_dir():
        return "openpose", None
    if zipfile.is_zipfile(path):
        return ("detectron" if "boxes" in entries_of(path) else "npz"), None
    with path.open("rb") as file:
        if file.read(6) == b"\x93NUMPY":
            return "npz", None
    text = read_text(path)
    if text.lstrip()[:1] in ("{", "["):
        content = parse_json(text, path)
        return _of_json(path, content), content
    table = PersonTable(path, text)
    return ("mediapipe" if "visibility" in table.header else "csv"), table


def _of_json(path: Path, content: Any) -> str:
    if isinstance(content, Mapping):
        marks = {"people": "openpose", "instance_info": "mmpose", "annotations": "coco", "frames": "mediapipe"}
        found = next((tool for key, tool in marks.items() if key in content), None)
        if found == "openpose":
            raise InputError(f"{path}: one frame of OpenPose; name the folder that holds the files of all frames")
    else:
        first = next((one for one in content if one), None)
        keys = first if isinstance(first, Mapping) else {}
        marks = {"image_id": "coco", "instances": "mmpose", "landmarks": "mediapipe", "pose_landmarks": "mediapipe"}
        found = next((tool for key, tool in marks.items() if key in keys), None)
        if isinstance(first, list):
            found = "mediapipe"
    if found is None:
        raise InputError(f"{path}: no keypoint file of a known tool; the formats are {', '.join(FORMATS)}")
    return found
