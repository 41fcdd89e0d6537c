import pytest

from poselib.protocols import H36M_ACTIONS, H36M_TEST, H36M_TRAIN, action_mean, base_action, frame_mean, per_action


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
