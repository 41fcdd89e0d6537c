"""Motion capture in BVH and ASF/AMC with its manifest, read by `prepare h36m` from source cmu."""

import gzip

from samples.mocap import ROOTS, amc_text, asf_text, bvh_text, put

from faults.catalogue import Fault, project
from poselib.skeleton_cmu import CMU_ASF, CMU_BVH

COMMAND = ("prepare", "h36m")
SOME = ROOTS[:13]
BVH, GZ, AMC, ASF = "01_01.bvh", "02_01.bvh.gz", "05_01.amc", "05.asf"
MANIFEST = "file,subject,action,fps,frames\n01_01.bvh,CMU_01,walk slowly,60,13\n"


def make(folder):
    raw = project(folder, "h36m", "cmu")
    for name in (BVH, GZ, "03_01.bvh", "04_01.bvh"):
        put(raw, name, bvh_text(CMU_BVH, SOME))
    put(raw, ASF, asf_text(CMU_ASF))
    put(raw, AMC, amc_text(CMU_ASF, SOME))
    put(raw, "manifest.csv", MANIFEST)


def put_file(name, text, key, told):
    return Fault(lambda folder: put(folder / "raw", name, text), name, key, told)


def replaced(name, old, new, key, told):
    def harm(folder):
        path = folder / "raw" / name
        text = path.read_text()
        assert old in text, "the fault does not change the file"
        path.write_text(text.replace(old, new, 1))

    return Fault(harm, name, key, told)


def of_manifest(old, new, key, told):
    return replaced("manifest.csv", old, new, key, told)


def raw_bytes(name, data, told):
    return Fault(lambda folder: (folder / "raw" / name).write_bytes(data), name, "", told)


def gone(*names):
    return lambda folder: [(folder / "raw" / name).unlink() for name in names]


def emptied(folder):
    for path in (folder / "raw").iterdir():
        path.unlink()


TEXT = bvh_text(CMU_BVH, SOME)
LAST = " ".join(map(str, SOME[-1]))
FAULTS = {
    "no folder": Fault(lambda f: (emptied(f), (f / "raw").rmdir()), "raw", "", "is no folder"),
    "nothing": Fault(emptied, "raw", "", "holds no .bvh or .amc file"),
    "two subjects": Fault(gone(BVH, GZ, AMC), "CMU_03, CMU_04", "", "a split needs 3 subjects"),
    "empty file": raw_bytes(BVH, b"", "is empty"),
    "binary": raw_bytes(BVH, bytes(range(256)) * 9, "MOTION"),
    "not gzip": raw_bytes(GZ, TEXT.encode(), "is not a gzip file"),
    "gzip cut": raw_bytes(GZ, gzip.compress(TEXT.encode())[:-20], "cut short"),
    "bomb": raw_bytes(GZ, gzip.compress(bytes(1 << 20)) * 300, "larger than 268,435,456 bytes"),
    "cut in the hierarchy": put_file(BVH, TEXT[:300], "", "has no line 'MOTION'"),
    "cut in a frame": put_file(BVH, TEXT[:-60], "line", "the file is cut short or damaged"),
    "fewer frames": replaced(BVH, "Frames: 13", "Frames: 14", "'Frames:'", "holds 13 frames"),
    "no frames": replaced(BVH, "Frames: 13", "Frames: 0", "'Frames:'", "a whole number above zero"),
    "one frame": put_file("03_01.bvh", bvh_text(CMU_BVH, ROOTS[:1]), "", "1 usable frame"),
    "NaN": replaced(BVH, LAST, f"nan {LAST[LAST.index(' ') :]}", "line", "not finite"),
    "infinity": replaced(BVH, LAST, f"inf {LAST[LAST.index(' ') :]}", "line", "not finite"),
    "frame time of infinity": replaced(BVH, "Time: 0.0166", "Time: inf #", "'Frame Time:'", "not finite"),
    "kilometres": put_file("03_01.bvh", bvh_text(CMU_BVH, [(1e5, 0, 0)] * 13), "", "are not metres"),
    "joints of another scheme": put_file("03_01.bvh", TEXT.replace("Spine1", "Chest"), "Spine1", "no known scheme"),
    "joint twice": replaced(BVH, "JOINT LeftArm", "JOINT LeftForeArm", "'LeftForeArm'", "there twice"),
    "code for a number": replaced(BVH, LAST, "__import__('os') " + LAST, "line", "where a number belongs"),
    "no skeleton": Fault(gone(ASF), AMC, "05.asf", "needs its skeleton"),
    "skeleton cut": replaced(ASF, ":hierarchy", "", "':hierarchy'", "has no section"),
    "skeleton in radians": replaced(ASF, "angle deg", "angle rad", "':units'", "must hold"),
    "skeleton in a circle": replaced(ASF, "root lhipjoint\n", "", "':hierarchy'", "does not hang on the root"),
    "bone of another skeleton": replaced(AMC, "\nlfemur 0", "\ntail 0", "'tail'", "does not move"),
    "bone left out": replaced(AMC, "\nlfemur 0", "", "'lfemur'", "has no values"),
    "AMC without frames": put_file(AMC, ":FULLY-SPECIFIED\n:DEGREES\n", "", "holds no frame"),
    "AMC of NaN": replaced(AMC, "\nlfemur 0", "\nlfemur nan", "'lfemur'", "not finite"),
    "manifest without a column": of_manifest("fps", "rate", "'fps'", "has no column"),
    "manifest of a rate in words": of_manifest("60", "fast", "row 2", "an fps above zero"),
    "manifest of no rate": of_manifest("60", "0", "row 2", "an fps above zero"),
    "manifest of an infinite rate": of_manifest("60", "inf", "row 2", "an fps above zero"),
    "manifest without a subject": of_manifest("CMU_01", "", "row 2", "needs a file, a subject"),
    "manifest of other frames": of_manifest("13", "many", "'many'", "not a whole number"),
    "manifest that leads out": of_manifest("01_01.bvh", "../../01_01.bvh", "'../../01_01.bvh'", "leads out"),
    "manifest of a root": of_manifest("01_01.bvh", "/etc/01_01.bvh", "'/etc/01_01.bvh'", "leads out"),
    "manifest of bytes": raw_bytes("manifest.csv", b"file,subject,action,fps\n\xff\xfe\n", "cannot be read as a table"),
    "frames differ": Fault(
        lambda folder: put(folder / "raw", "manifest.csv", MANIFEST.replace("13", "14")), BVH, "", "holds 13 frames"
    ),
}
