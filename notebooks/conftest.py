"""For `pytest --nbval-lax notebooks`: kernels that need not load the libraries anew for every notebook."""

from poselib import forked_kernel


def pytest_configure():
    forked_kernel.use_for_every_notebook()
