"""The catalogue of malformed keypoint files: each ends in one sentence that names the file and the remedy."""

import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from poselib.errors import InputError
from poselib.keypoints import read_keypoints

FLAT = [float(number) for _ in range(17) for number in (100, 200, 0.5)]
MARK = {"x": 0.5, "y": 0.5, "z": 0.0, "visibility": 0.9}


def person(**changed):
    whole = {"image_id": "0.jpg", "keypoints": FLAT, "score": 1.0, "box": [0, 0, 10, 10], "idx": 1} | changed
    return {key: value for key, value in whole.items() if value is not ...}


def shot(**changed):
    one = {"keypoints": [[100, 200]] * 17, "keypoint_scores": [0.5] * 17, "bbox": [[0, 0, 10, 10]]} | changed
    return {"frame_id": 0, "instances": [{key: value for key, value in one.items() if value is not ...}]}


def openpose(**files):
    def write(folder):
        for name, content in files.items():
            (folder / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))
        return folder

    return write


def file(name, content):
    def write(folder):
        path = folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def npz(**content):
    def write(folder):
        path = folder / "points.npz"
        np.savez(path, **{key: value for key, value in content.items() if value is not ...})
        return path

    return write


def plain(**changed):
    points = np.full((3, 17, 2), 100.0)
    return npz(**{"keypoints": points, "joints": "coco_17", "fps": 30, "width": 640, "height": 480} | changed)


def by_class(*shots):
    held = np.empty((len(shots), 2), object)
    for frame, content in enumerate(shots):
        held[frame, 0], held[frame, 1] = [], content
    return held


def detectron(**changed):
    boxes, keypoints = by_class(np.ones((1, 5))), by_class(np.full((1, 4, 17), 5.0))
    return npz(**{"boxes": boxes, "keypoints": keypoints, "metadata": {"w": 640, "h": 480}} | changed)


def csv_of(*rows, header="frame,person,joint,x,y,confidence"):
    return file("points.csv", "\n".join([header, *rows]))


class Attack:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def poisoned(folder):
    path = folder / "points.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for key in ("boxes", "keypoints", "metadata"):
            with archive.open(f"{key}.npy", "w") as stream:
                header = {"descr": "|O", "fortran_order": False, "shape": ()}
                np.lib.format.write_array_header_1_0(stream, header)
                stream.write(pickle.dumps(Attack()))
    return path


def truncated(folder):
    path = plain()(folder)
    path.write_bytes(path.read_bytes()[:-40])
    return path


def absurd(folder):
    path = folder / "points.json"
    path.write_text("[")
    os.truncate(path, 2 * 2**30)
    return path


def absurd_folder(folder):
    return absurd(folder).parent


FAULTS = {
    "nothing there": (lambda folder: folder / "none.json", "none.json: no such file"),
    "empty file": (file("a.json", ""), "a.json: no header with rows"),
    "not JSON": (file("a.json", "{people: 1}"), "a.json: not valid JSON"),
    "JSON cut off": (file("a.json", '[{"image_id": "0.jpg", "keyp'), "not valid JSON"),
    "JSON nested too deep": (file("a.json", "[" * 200_000), "not valid JSON"),
    "a number of 5000 digits": (file("a.json", '[{"image_id": ' + "9" * 5000 + "}]"), "not valid JSON"),
    "JSON of absurd size": (absurd, "points.json: unpacks to more than 8 GiB"),
    "a picture": (file("a.json", b"\x89PNG\r\n\x1a\n\xff\xff"), "neither text nor an .npz file"),
    "JSON of something else": (file("a.json", {"settings": 1}), "no keypoint file of a known tool"),
    "JSON list of numbers": (file("a.json", [1, 2, 3]), "no keypoint file of a known tool"),
    "JSON list of nobody": (file("a.json", []), "no keypoint file of a known tool"),
    "one OpenPose frame": (file("a.json", {"people": []}), "name the folder"),
    "OpenPose folder without JSON": (openpose(), "holds no JSON file"),
    "OpenPose folder of absurd size": (absurd_folder, "unpacks to more than 8 GiB"),
    "OpenPose file without number": (openpose(keypoints={"people": []}), "no frame number in the name"),
    "OpenPose frame twice": (openpose(a_1_keypoints={"people": []}, b_1_keypoints={"people": []}), "frame 1 is also"),
    "OpenPose frame of 30 digits": (openpose(**{"a_" + "9" * 30: {"people": []}}), "is no frame number"),
    "OpenPose without people": (openpose(a_1={"version": 1.3}), "has no 'people'"),
    "OpenPose people no list": (openpose(a_1={"people": {"a": 1}}), "people: expected a list"),
    "OpenPose person no object": (openpose(a_1={"people": [3]}), "people[0]: expected an object"),
    "OpenPose without keypoints": (openpose(a_1={"people": [{"person_id": [-1]}]}), "has no 'pose_keypoints_2d'"),
    "OpenPose of 15 joints": (
        openpose(a_1={"people": [{"pose_keypoints_2d": [9.0] * 45}]}),
        "15 joints, expected 25 (body_25) or 18 (coco_18)",
    ),
    "OpenPose of two sets": (
        openpose(**{f"a_{i}": {"people": [{"pose_keypoints_2d": [0.5] * n}]} for i, n in enumerate((75, 54))}),
        "18 joints, but 25 before",
    ),
    "OpenPose with nobody": (openpose(a_1={"people": []}), "nobody is seen"),
    "OpenPose id no list": (
        openpose(a_1={"people": [{"person_id": 3, "pose_keypoints_2d": [9.0] * 75}]}),
        "person_id: expected a list",
    ),
    "OpenPose all missed": (openpose(a_1={"people": [{"pose_keypoints_2d": [0] * 75}]}), "every joint is missed"),
    "OpenPose scaled to 0..1": (openpose(a_1={"people": [{"pose_keypoints_2d": [0.5] * 75}]}), "look normalised"),
    "keypoints not triples": (file("a.json", [person(keypoints=FLAT[:-1])]), "no list of x, y, confidence"),
    "keypoints nested": (file("a.json", [person(keypoints=[[1, 2, 3]] * 17)]), "no list of x, y, confidence"),
    "keypoints ragged": (file("a.json", [person(keypoints=[[1, 2], [3]])]), "rows of different lengths"),
    "keypoints of text": (file("a.json", [person(keypoints=["1"] * 51)]), "expected numbers"),
    "keypoints with null": (file("a.json", [person(keypoints=[None, *FLAT[1:]])]), "expected numbers"),
    "keypoints empty": (file("a.json", [person(keypoints=[])]), "no list of x, y, confidence"),
    "keypoints missing": (file("a.json", [person(keypoints=...)]), "[0]: has no 'keypoints'"),
    "keypoints infinite": (file("a.json", [person(keypoints=[1e999, *FLAT[1:]])]), "a number beyond 1e+09"),
    "keypoints of 300 digits": (file("a.json", [person(keypoints=[1e300, *FLAT[1:]])]), "a number beyond 1e+09"),
    "box of 300 digits": (file("a.json", [person(box=[0, 0, 1e300, 1])]), "its box is not four numbers"),
    "MediaPipe mark of 300 digits": (
        file("a.json", {"width": 640, "height": 480, "frames": [[MARK | {"x": 1e307}] * 33]}),
        "a number beyond 1e+09",
    ),
    "keypoints astronomic": (file("a.json", [person(keypoints=[1e8, *FLAT[1:]])]), "no pixels of the image"),
    "confidence in percent": (file("a.json", [person(keypoints=[100, 200, 87.0] * 17)]), "confidence 87 is not in"),
    "133 joints": (file("a.json", [person(keypoints=[9.0] * 399)]), "133 joints, expected 17"),
    "image without number": (file("a.json", [person(image_id="frame.jpg")]), "no frame number in the name 'frame'"),
    "image missing": (file("a.json", [person(), person(image_id=...)]), "[1]: has no 'image_id'"),
    "image a fraction": (file("a.json", [person(image_id=1.5)]), "'1.5' is no frame number"),
    "image a truth": (file("a.json", [person(image_id=True)]), "'True' is no frame number"),
    "image negative": (file("a.json", [person(image_id=-4)]), "'-4' is no frame number"),
    "image beyond time": (file("a.json", [person(image_id=10**12)]), "is no frame number up to 1000000"),
    "box of three": (file("a.json", [person(box=[1, 2, 3])]), "its box is not four numbers"),
    "box inside out": (file("a.json", [person(box=[1, 2, -3, 4])]), "its box is not four numbers"),
    "box of text": (file("a.json", [person(box="all")]), "box: expected numbers"),
    "id of two": (file("a.json", [person(idx=[1, 2])]), "idx: is not one number"),
    "ids for some": (file("a.json", [person(), person(idx=...)]), "give all people ids or nobody"),
    "a crowd without ids": (file("a.json", [person(idx=...)] * 501), "501 people without ids in frame 0"),
    "person twice": (file("a.json", [person(), person()]), "person 1 is twice in frame 0"),
    "annotations no list": (file("a.json", {"annotations": 3}), "annotations: expected a list"),
    "annotated image half a size": (
        file("a.json", {"images": [{"width": 640}], "annotations": [person()]}),
        "images[0]: has no 'height'",
    ),
    "MMPose frame without number": (file("a.json", [{"instances": []}]), "has no 'frame_id'"),
    "MMPose without scores": (file("a.json", [shot(keypoint_scores=...)]), "has no 'keypoint_scores'"),
    "MMPose scores too few": (file("a.json", [shot(keypoint_scores=[0.5])]), "keypoints (17, 2) with scores (1,)"),
    "MMPose in 3D": (file("a.json", [shot(keypoints=[[1, 2, 3]] * 17)]), "expected (joints, 2)"),
    "MMPose person no object": (
        file("a.json", [{"frame_id": 0, "instances": [7]}]),
        "instances[0]: expected an object",
    ),
    "MMPose of other joints": (
        file("a.json", {"meta_info": {"keypoint_id2name": dict.fromkeys(range(17), "x")}, "instance_info": [shot()]}),
        "joint 0 is x, expected nose",
    ),
    "MMPose of 133 names": (
        file("a.json", {"meta_info": {"keypoint_id2name": dict.fromkeys(range(133), "x")}, "instance_info": [shot()]}),
        "keypoint_id2name: 133 joints",
    ),
    "MediaPipe without size": (file("a.json", {"frames": [[MARK] * 33]}), "give image_size"),
    "MediaPipe of half a size": (file("a.json", {"width": 9, "frames": [[MARK] * 33]}), "has no 'height'"),
    "MediaPipe of no size": (file("a.json", {"width": 0, "height": 9, "frames": []}), "width: expected one number"),
    "MediaPipe of no rate": (
        file("a.json", {"width": 640, "height": 480, "fps": "fast", "frames": [[MARK] * 33]}),
        "fps: expected numbers",
    ),
    "MediaPipe of 32 marks": (file("a.json", {"width": 640, "height": 480, "frames": [[MARK] * 32]}), "32 joints"),
    "MediaPipe without visibility": (
        file("a.json", {"width": 640, "height": 480, "frames": [[{"x": 0.5, "y": 0.5}] * 33]}),
        "landmarks[0]: has no 'visibility'",
    ),
    "MediaPipe mark nested": (
        file("a.json", {"width": 640, "height": 480, "frames": [[MARK | dict.fromkeys("xy", [1])] * 33]}),
        "landmarks[0]: rows of different lengths",
    ),
    "MediaPipe frame a number": (file("a.json", {"width": 640, "height": 480, "frames": [3]}), "expected a list"),
    "CSV unknown mark": (csv_of("0,33,0,0,1", header="frame,landmark,x,y,visibility"), "unknown landmark '33'"),
    "npz cut off": (truncated, "points.npz: "),
    "npz without joints": (plain(joints=...), "joints: not named; name one of coco_17"),
    "npz of unknown set": (plain(joints="cocoa"), "no joint set 'cocoa'; name one of coco_17"),
    "npz set a number": (plain(joints=17), "no joint set '17'"),
    "npz of another set": (plain(joints="body_25"), "shape (3, 17, 2), expected (frames, 25, 2 or 3)"),
    "npz of one frame flat": (plain(keypoints=np.ones((17, 2))), "shape (17, 2), expected (frames, 17, 2 or 3)"),
    "npz without frames": (plain(keypoints=np.ones((0, 17, 2))), "nobody is seen"),
    "npz of text": (plain(keypoints=np.full((3, 17, 2), "a")), "keypoints: expected numbers"),
    "npz of no rate": (plain(fps=0), "fps: expected one number above zero"),
    "npz of two rates": (plain(fps=[25, 30]), "fps: expected one number above zero"),
    "npz of half a size": (plain(height=...), "has no 'height'"),
    "npz all missed": (plain(keypoints=np.full((3, 17, 2), np.nan)), "every joint is missed"),
    "npz normalised": (plain(keypoints=np.full((3, 17, 2), 0.4)), "look normalised"),
    "npz out of the image": (plain(keypoints=np.full((3, 17, 2), 20_000.0)), "no pixels of the image"),
    "npz that executes": (poisoned, "boxes: refused, since it asks for posix.mkdir"),
    "Detectron without metadata": (detectron(metadata=...), "has no entry 'metadata'"),
    "Detectron metadata a number": (detectron(metadata=3), "metadata: expected an object"),
    "Detectron of half a size": (detectron(metadata={"w": 640}), "has no 'h'"),
    "Detectron boxes a number": (detectron(boxes=3), "boxes: expected a list of two classes"),
    "Detectron of other frames": (detectron(boxes=by_class([], [])), "boxes of 2 frames, keypoints of 1"),
    "Detectron of other people": (detectron(boxes=by_class(np.ones((2, 5)))), "boxes (2, 5) with keypoints (1, 4, 17)"),
    "Detectron transposed": (detectron(keypoints=by_class(np.ones((1, 17, 4)))), "with keypoints (1, 17, 4)"),
    "Detectron a name for people": (detectron(boxes=by_class("all")), "boxes: expected numbers"),
    "Detectron nobody": (detectron(boxes=by_class([], []), keypoints=by_class([], [])), "nobody is seen"),
    "CSV without confidence": (
        csv_of("0,1,nose,5,5", header="frame,person,joint,x,y"),
        "no column 'confidence'; a table",
    ),
    "CSV without person": (csv_of("0,nose,5,5,1", header="frame,joint,x,y,confidence"), "no column 'person'; a table"),
    "CSV column twice": (csv_of("0,1,nose,5,5,1,5", header="frame,person,joint,x,y,confidence,x"), "2 columns 'x'"),
    "CSV header alone": (csv_of(), "no header with rows below it"),
    "CSV uneven": (csv_of("0,1,nose,5,5,1", "0,1,left_eye,5,5"), "line 3: not as many cells"),
    "CSV of text": (csv_of("0,1,nose,far,5,1"), "line 2: 'far' is no number"),
    "CSV unknown joint": (csv_of("0,1,nose,5,5,1", "0,1,tail,5,5,1"), "has no tail; use the joint names of one set"),
    "CSV joint twice": (csv_of("0,1,nose,5,5,1", "0,1,nose,6,5,1"), "line 3: nose is twice in frame 0"),
    "CSV frame of text": (csv_of("first,1,nose,5,5,1"), "'first' is no frame number"),
    "CSV infinite": (csv_of("0,1,nose,inf,5,1"), "a number beyond 1e+09"),
    "CSV open quote": (csv_of('0,1,"nose,5,5,1'), "not valid CSV"),
    "CSV with a cell of a megabyte": (csv_of("0,1," + "n" * 2**20 + ",5,5,1"), "not valid CSV"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_malformed_file_ends_in_one_sentence(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write, expected = FAULTS[name]
    (folder := tmp_path / "files").mkdir()
    path = write(folder)
    with pytest.raises(InputError) as caught:
        read_keypoints(path)
    message = str(caught.value)
    assert expected in message and message.startswith(str(folder)), message
    assert "; " in message and "\n" not in message and len(message) < len(str(path)) + 300, message
    assert [entry.name for entry in tmp_path.iterdir()] == ["files"]


@pytest.mark.parametrize(
    ("write", "sound"),
    [(plain(), 1), (detectron(), 1), (csv_of("0,1,nose,5,5,1"), 1), (file("a.json", [person(), person(idx=2)]), 2)],
)
def test_what_the_faults_are_made_from_is_sound(tmp_path, write, sound):
    assert len(read_keypoints(write(tmp_path))) == sound


def test_an_unknown_format_or_a_wrong_image_size_is_refused(tmp_path):
    path = file("a.json", {"frames": [[MARK] * 33]})(tmp_path)
    with pytest.raises(InputError, match="no format 'xml'; name one of openpose, coco"):
        read_keypoints(path, "xml")
    with pytest.raises(InputError, match="width: expected one number above zero"):
        read_keypoints(path, image_size=(0, 480))
    with pytest.raises(InputError, match="its image is 640x480, not 641x480"):
        read_keypoints(plain()(tmp_path), image_size=(641, 480))
    for wrong in ((640,), "640x480", 640):
        with pytest.raises(InputError, match=r"is not \(width, height\); give two numbers of pixels"):
            read_keypoints(path, image_size=wrong)
