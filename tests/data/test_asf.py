"""ASF and AMC readers: positions one can work out in the head, and malformed files."""

import gzip

import numpy as np
import pytest

from poselib.data.amc import read_amc
from poselib.data.asf import read_asf
from poselib.errors import InputError

# A thigh of length 2 hangs down from a fixed hip bone of length 1 to the left; the shin of length 3 follows.
LEG = """# a comment
:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
  anything at all
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name hip
    direction 1 0 0
    length 1
    axis 0 0 0 XYZ
  end
  begin
    id 2
    name thigh
    direction 0 -1 0
    length 2
    axis 0 0 0 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
    id 3
    name shin
    direction 0 -1 0
    length 3
    axis 0 0 90 XYZ
    dof rx
    limits (-10.0 170.0)
  end
:hierarchy
  begin
    root hip
    hip thigh
    thigh shin
  end
"""
STEPS = """# a comment
:FULLY-SPECIFIED
:DEGREES
1
root 10 20 30 0 0 0
thigh 0 0 0
shin 0
2
root 10 20 30 0 90 0
thigh 90 0 0
shin 0
3
root 10 20 30 0 0 0
thigh 0 0 0
shin 90
"""


def write(folder, asf=LEG, amc=STEPS):
    (folder / "leg.asf").write_text(asf)
    (folder / "leg.amc").write_text(amc)
    return folder / "leg.asf", folder / "leg.amc"


def test_skeleton_as_written(tmp_path):
    skeleton = read_asf(write(tmp_path)[0])
    assert skeleton.joints == ("root", "hip", "thigh", "shin")
    assert skeleton.parents == (-1, 0, 1, 2)
    assert skeleton.length_scale == 0.45
    assert skeleton.channels == {"root": skeleton.root_order, "thigh": ("rx", "ry", "rz"), "shin": ("rx",)}


def test_positions_of_a_turned_leg(tmp_path):
    asf, amc = write(tmp_path)
    clip = read_amc(amc, read_asf(asf))
    assert clip.fps == 120
    np.testing.assert_allclose(clip.positions[0], [[10, 20, 30], [11, 20, 30], [11, 18, 30], [11, 15, 30]], atol=1e-12)
    # The thigh swings from down to back (-z); the whole turns by 90 degrees about y: x to -z, -z to -x.
    np.testing.assert_allclose(clip.positions[1], [[10, 20, 30], [10, 20, 29], [8, 20, 29], [5, 20, 29]], atol=1e-12)
    # The shin's own frame is turned by 90 degrees about z, so its x axis is y, along which the shin lies.
    np.testing.assert_allclose(clip.positions[2], clip.positions[0], atol=1e-12)


def test_the_last_axis_of_the_order_turns_last(tmp_path):
    asf, amc = write(tmp_path, amc=STEPS.replace("thigh 90 0 0", "thigh 90 0 90").replace("30 0 90 0", "30 0 0 0"))
    # About x first: down to -z, which a turn about z leaves alone; the other order would give +x.
    clip = read_amc(amc, read_asf(asf))
    np.testing.assert_allclose(clip.positions[1, 2] - clip.positions[1, 1], [0, 0, -2], atol=1e-12)


def test_order_of_values_is_read_from_the_skeleton(tmp_path):
    expected = read_amc(write(tmp_path)[1], read_asf(tmp_path / "leg.asf")).positions
    asf = LEG.replace("dof rx ry rz", "dof rz rx ry").replace("order TX TY TZ RX RY RZ", "order RZ RY RX TZ TY TX")
    amc = STEPS.replace("thigh 90 0 0", "thigh 0 90 0")
    amc = amc.replace("root 10 20 30 0 0 0", "root 0 0 0 30 20 10").replace("10 20 30 0 90 0", "0 90 0 30 20 10")
    asf_path, amc_path = write(tmp_path, asf, amc)
    np.testing.assert_allclose(read_amc(amc_path, read_asf(asf_path)).positions, expected, atol=1e-12)


def test_gzipped_files_bones_in_any_order_and_a_given_rate(tmp_path):
    asf, amc = write(tmp_path)
    swapped = STEPS.replace("thigh 0 0 0\nshin 0\n", "shin 0\nthigh 0 0 0\n")
    swapped = swapped.replace("thigh 90 0 0\nshin 0\n", "shin 0\nthigh 90 0 0\n")
    swapped = swapped.replace("thigh 0 0 0\nshin 90\n", "shin 90\nthigh 0 0 0\n")
    (tmp_path / "leg.asf.gz").write_bytes(gzip.compress(LEG.encode()))
    (tmp_path / "leg.amc.gz").write_bytes(gzip.compress(swapped.encode()))
    clip = read_amc(tmp_path / "leg.amc.gz", read_asf(tmp_path / "leg.asf.gz"), fps=60)
    assert clip.fps == 60
    np.testing.assert_array_equal(clip.positions, read_amc(amc, read_asf(asf)).positions)


BAD_SKELETONS = {
    "no units": (":units", ":unit", ":units"),
    "no root": (":root", ":roots", ":root"),
    "no bones": (":bonedata", ":bones", ":bonedata"),
    "no hierarchy": (":hierarchy", ":tree", ":hierarchy"),
    "no length unit": ("  length 0.45\n", "", "length"),
    "length unit zero": ("length 0.45", "length 0", "above zero"),
    "length unit no number": ("length 0.45", "length inch", "'inch'"),
    "radians": ("angle deg", "angle rad", "angle deg"),
    "root order": ("order TX TY TZ", "order TX TY TY", "order"),
    "root moved": ("position 0 0 0", "position 0 1 0", "position"),
    "bone without name": ("    name thigh\n", "", "name"),
    "duplicate bone": ("name shin", "name thigh", "twice"),
    "direction cut": ("direction 1 0 0", "direction 1 0", "direction"),
    "direction not finite": ("direction 1 0 0", "direction 1 0 nan", "finite"),
    "length missing": ("    length 3\n", "", "length"),
    "length no number": ("length 3", "length three", "'three'"),
    "axis order missing": ("axis 0 0 90 XYZ", "axis 0 0 90", "axis order"),
    "unknown dof": ("dof rx ry rz", "dof rx ry l", "dof"),
    "bone not ended": ("  end\n:hierarchy", ":hierarchy", "end"),
    "cut in the hierarchy": ("    thigh shin\n  end\n", "", "end"),
    "unknown bone in the hierarchy": ("thigh shin", "thigh foot", "'foot'"),
    "bone without parent": ("    thigh shin\n", "", "'shin'"),
    "circle": ("    hip thigh\n    thigh shin\n", "    thigh shin\n    shin thigh\n", "circle"),
    "two parents": ("thigh shin", "thigh shin\n    hip shin", "two parents"),
    "empty": (LEG, "\n", "empty"),
}


@pytest.mark.parametrize(("old", "new", "told"), BAD_SKELETONS.values(), ids=BAD_SKELETONS.keys())
def test_malformed_skeleton_is_told_in_one_sentence(tmp_path, old, new, told):
    assert old in LEG, "the case does not change the file"
    asf, _ = write(tmp_path, asf=LEG.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_asf(asf)
    message = str(caught.value)
    assert message.startswith(str(asf)) and told in message and "\n" not in message


BAD_MOTIONS = {
    "no header": (":DEGREES\n", "", ":DEGREES"),
    "radians": (":DEGREES", ":DEGREES\n:RADIANS", ":RADIANS"),
    "misspelt header": (":FULLY-SPECIFIED", ":FULLY-SPECIFED", ":FULLY-SPECIFED"),
    "first frame without number": ("1\nroot", "root", "line 4"),
    "unknown bone": ("thigh 0 0 0", "tail 0 0 0", "'tail'"),
    "bone that does not move": ("thigh 0 0 0", "hip 0 0 0", "'hip'"),
    "bone missing throughout": ("thigh 0 0 0\n", "", "'thigh'"),
    "bone twice": ("thigh 0 0 0\n", "thigh 0 0 0\nthigh 0 0 0\n", "twice"),
    "bone missing in a later frame": ("thigh 90 0 0\n", "", "'thigh' should stand here"),
    "bone too many in a later frame": ("thigh 90 0 0\nshin 0\n", "thigh 90 0 0\nshin 0\nshin 0\n", "line 12"),
    "too few values": ("thigh 90 0 0", "thigh 90 0", "line 10"),
    "too many values": ("shin 90", "shin 90 0", "line 15"),
    "value no number": ("shin 90", "shin ninety", "'ninety'"),
    "value NaN": ("shin 90", "shin nan", "finite"),
    "value infinite": ("thigh 90 0 0", "thigh inf 0 0", "line 10"),
    "frame left out": ("\n3\n", "\n4\n", "consecutive"),
    "frame repeated": ("\n3\n", "\n2\n", "consecutive"),
    "last frame cut": ("thigh 0 0 0\nshin 90\n", "", "last frame"),
    "no frame": (STEPS[STEPS.index("1\nroot") :], "", "no frame"),
    "empty": (STEPS, "", "empty"),
}


@pytest.mark.parametrize(("old", "new", "told"), BAD_MOTIONS.values(), ids=BAD_MOTIONS.keys())
def test_malformed_motion_is_told_in_one_sentence(tmp_path, old, new, told):
    assert old in STEPS, "the case does not change the file"
    asf, amc = write(tmp_path, amc=STEPS.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_amc(amc, read_asf(asf))
    message = str(caught.value)
    assert message.startswith(str(amc)) and told in message and "\n" not in message
