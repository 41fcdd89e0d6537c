import pytest

from poselib.protocols import (
    H36M_ACTIONS,
    H36M_TEST,
    H36M_TRAIN,
    action_mean,
    base_action,
    frame_mean,
    group_of,
    per_action,
    split_of,
)


def test_action_mean_and_frame_mean_differ_as_on_the_sheet():
    by_action = per_action(["Walking", "Walking 1", "Sitting"], [4, 6, 90], [10.0, 20.0, 50.0])
    assert by_action == {"Sitting": 50.0, "Walking": 16.0}
    assert action_mean(by_action) == pytest.approx(33.0)
    assert frame_mean([4, 6, 90], [10.0, 20.0, 50.0]) == pytest.approx(46.6)


def test_actions_come_in_the_papers_order_and_others_after_them():
    found = per_action(["dance 05_01", "Walking 1", "Directions"], [1, 1, 1], [1.0, 2.0, 3.0])
    assert list(found) == ["Directions", "Walking", "dance"]


def test_fifteen_actions_seven_subjects():
    assert len(H36M_ACTIONS) == 15
    assert not set(H36M_TRAIN) & set(H36M_TEST)
    assert base_action("SittingDown 1") == "SittingDown"


@pytest.mark.parametrize(
    ("role", "subject", "action", "said", "expected"),
    [
        ("h36m", "S1", "Walking 1", None, "train"),
        ("h36m", "S8", "Walking", None, "validation"),
        ("h36m", "S9", "Directions", None, "test"),
        ("h36m", "S11", "Directions 1", None, "test"),
        ("h36m", "S11", "Directions", None, None),
        ("mpi_inf_3dhp", "S1", "Seq1", "train", "train"),
        ("mpi_inf_3dhp", "S8", "Seq1", "train", "validation"),
        ("mpi_inf_3dhp", "TS1", "TS1", "test", "test"),
        ("humaneva", "S1", "Walking 1", "train", "train"),
        ("humaneva", "S1", "Jog 1", "test", "test"),
        ("humaneva", "S1", "Box 1", "train", "train"),
        ("humaneva", "S1", "Box 1", "test", "validation"),
        ("humaneva", "S1", "Gestures 1", "train", None),
        ("amass", "anyone", "anything", "validation", "validation"),
    ],
)
def test_what_a_recording_is_used_for(role, subject, action, said, expected):
    assert split_of(role, subject, action, said) == expected


def test_humaneva_is_averaged_by_action_and_subject_and_the_others_by_action():
    assert group_of("humaneva", "S2", "Walking 1") == "Walking/S2"
    assert group_of("h36m", "S9", "Walking 1") == "Walking"
