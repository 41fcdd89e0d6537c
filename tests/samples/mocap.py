"""Tiny motion capture files of the CMU conversions' joints."""

import gzip

from poselib.skeleton_cmu import CMU_BVH

CHANNELS = "Zrotation Yrotation Xrotation"
UNIT = 0.0254 / 0.45
# One second at 60 Hz along z, 2 units in all, 10 units high, 5 to the left.
ROOTS = [(5, 10, i / 30) for i in range(61)]
EYES = {"leftEye": (4, 8, 8), "rightEye": (-4, 8, 8), "lThigh": (9, 1, 0), "rThigh": (-9, 1, 0)}


def bvh_text(skeleton, roots, *, offsets=None, end_sites=("HeadEnd",), left_out=("headTop",), fps=60):
    """A BVH of the skeleton's joints with root positions `roots` (F, 3); offsets by joint, (0, 1, 0) if not told."""
    offsets = offsets or {}
    names = [joint for joint in skeleton.names if joint not in left_out]

    def block(joint):
        parent = skeleton.joints[joint]
        offset = "OFFSET " + " ".join(map(str, offsets.get(joint, (0, 1, 0) if parent else (0, 0, 0))))
        if joint in end_sites:
            return f"End Site\n{{\n{offset}\n}}\n"
        channels = f"CHANNELS 3 {CHANNELS}" if parent else f"CHANNELS 6 Xposition Yposition Zposition {CHANNELS}"
        children = "".join(block(child) for child in names if skeleton.joints[child] == joint)
        return f"{'JOINT' if parent else 'ROOT'} {joint}\n{{\n{offset}\n{channels}\n{children}}}\n"

    angles = " 0" * 3 * len([joint for joint in names if joint not in end_sites])
    rows = "".join(" ".join(map(str, root)) + angles + "\n" for root in roots)
    head = f"MOTION\nFrames: {len(roots)}\nFrame Time: {1 / fps:.9f}\n"
    return "HIERARCHY\n" + block(skeleton.names[skeleton.root]) + head + rows


def asf_text(skeleton):
    """An ASF of the skeleton's joints, every bone one unit up."""
    bones = [joint for joint in skeleton.names if skeleton.joints[joint]]
    data = "".join(
        f"begin\nid {i}\nname {bone}\ndirection 0 1 0\nlength 1\naxis 0 0 0 XYZ\ndof rx\nend\n"
        for i, bone in enumerate(bones, 1)
    )
    tree = "".join(f"{skeleton.joints[bone]} {bone}\n" for bone in bones)
    root = ":root\norder TX TY TZ RX RY RZ\naxis XYZ\nposition 0 0 0\norientation 0 0 0\n"
    return f":units\nlength 0.45\nangle deg\n{root}:bonedata\n{data}:hierarchy\nbegin\n{tree}end\n"


def amc_text(skeleton, roots):
    """The AMC to `asf_text` with root positions `roots` (F, 3)."""
    bones = "".join(f"{joint} 0\n" for joint in skeleton.names if skeleton.joints[joint])
    frames = (f"{i}\nroot {' '.join(map(str, root))} 0 0 0\n{bones}" for i, root in enumerate(roots, 1))
    return ":FULLY-SPECIFIED\n:DEGREES\n" + "".join(frames)


def put(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def put_bvh(folder, name, roots=ROOTS, **options):
    return put(folder, name, bvh_text(CMU_BVH, roots, **options))
