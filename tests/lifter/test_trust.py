"""The figure shows the table's numbers, and which of them lie beyond training."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from poselib.figures import trust


def test_every_panel_shows_its_curve():
    rows = [
        {
            "curve": curve,
            "value": f"{value:g}",
            "beyond_training": int(value > 2),
            "noise_px": 6.0 * value,
            **{f"{kind}mpjpe_mm": 10.0 * place + value + extra for kind, extra in (("", 7), ("n_", 5), ("p_", 3))},
            "mean_pose_mm": 200.0,
            "root_path_percent": 2 * value if curve == "distance" else np.nan,
        }
        for place, curve in enumerate(trust.PANELS)
        for value in (1.0, 2.0, 3.0)
    ]
    figure = trust.curves(pd.DataFrame(rows), "measured here")
    panels = figure.get_axes()
    assert len(panels) == 6 and figure.get_supxlabel() == "measured here"
    for place, axes in enumerate(panels[:5]):
        lines = axes.get_lines()
        x = np.array([1, 2, 3]) * (6 if place == 0 else 1)
        for number, extra in enumerate((7, 5, 3)):
            line, inside, beyond = lines[3 * number : 3 * number + 3]
            np.testing.assert_array_equal(line.get_xdata(), x)
            np.testing.assert_array_equal(line.get_ydata(), 10 * place + np.array([1, 2, 3]) + extra)
            np.testing.assert_array_equal(np.isnan(inside.get_ydata()), [False, False, True])
            np.testing.assert_array_equal(np.isnan(beyond.get_ydata()), [True, True, False])
            assert beyond.get_markerfacecolor() == "none" != inside.get_markerfacecolor()
        assert lines[9].get_ydata()[0] == 200
        assert lines[0].get_linewidth() > lines[3].get_linewidth() and lines[3].get_linestyle() == "--"
    np.testing.assert_array_equal(panels[5].get_lines()[0].get_ydata(), [2, 4, 6])
    plt.close(figure)
