"""A Jupyter kernel forked from a process that has the libraries loaded.

It is an IPython kernel as any other, spoken to over the same sockets; what a fresh interpreter spends on imports, most
of a small notebook's time, is spent once for many.
"""

import multiprocessing
import os
import threading
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

PRELOADED = ["ipykernel.kernelapp", "ipykernel.ipkernel", "nbformat", "pandas", "scipy.stats", "seaborn"]
PRELOADED += ["plotly.graph_objects", "plotly.io", "matplotlib.pyplot"]
PRELOADED += [f"poselib.{name}" for name in ("claims", "figures.style", "gaps", "ledger", "scoreboard", "tables")]


def prepare_environment() -> None:
    """Tell matplotlib, before it is loaded to be forked, that figures belong in a notebook, as every kernel does."""
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"


def use_for_the_next_notebook() -> None:
    """Fork now, while no event loop runs here, the process that becomes the next notebook's kernel."""
    _Forked.fork(multiprocessing.get_context("fork"))
    _provide_kernels_by(_Forked)


def use_for_every_notebook() -> None:
    """From now on fork kernels, of all notebooks that this process runs, from a server that it starts for them."""
    prepare_environment()
    _ForkedByServer.context.set_forkserver_preload(PRELOADED)
    _provide_kernels_by(_ForkedByServer)


def _provide_kernels_by(kind: type[LocalProvisioner]) -> None:
    factory = KernelProvisionerFactory.instance()
    entry = EntryPoint("forked", f"{__name__}:{kind.__name__}", KernelProvisionerFactory.GROUP_NAME)
    factory.provisioners["forked"], factory.default_provisioner_name = entry, "forked"


class _Forked(LocalProvisioner):
    """Has the waiting process start as the kernel, instead of a command."""

    orders: Connection
    process_of_kernel: BaseProcess

    @classmethod
    def fork(cls, context: BaseContext) -> None:
        there, cls.orders = context.Pipe(duplex=False)
        cls.process_of_kernel = context.Process(target=_serve, args=(there,), daemon=True)
        cls.process_of_kernel.start()

    async def launch_kernel(self, cmd: list[str], **given: object) -> KernelConnectionInfo:
        options = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.orders.send((options, given.get("cwd"), given["env"]))
        self.process, self.pid = _Popen(self.process_of_kernel), self.process_of_kernel.pid
        return self.connection_info


class _ForkedByServer(_Forked):
    """Has the server fork the process when a kernel is asked for; who asks may have threads, which do not fork well."""

    context = multiprocessing.get_context("forkserver")

    async def launch_kernel(self, cmd: list[str], **given: object) -> KernelConnectionInfo:
        self.fork(self.context)
        return await super().launch_kernel(cmd, **given)


class _Popen:
    """What a provisioner asks of a subprocess, answered by one of multiprocessing."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.kill, self.terminate = process.kill, process.terminate

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self._process.pid, number)


def _serve(orders: Connection) -> None:
    import pandas as pd
    from ipykernel.kernelapp import launch_new_instance

    # What pandas chooses when it is first loaded in a notebook instead of in a terminal.
    pd.set_option("display.max_columns", 20)
    end_with_parent()
    options: list[str]
    environment: Mapping[str, str]
    options, folder, environment = orders.recv()
    os.environ.update(environment)
    if folder:
        os.chdir(folder)
    quiet = [f"--IPKernelApp.parent_handle={os.getppid()}", "--log-level=ERROR"]
    launch_new_instance(argv=[*options, *quiet])


def end_with_parent() -> None:
    """From now on end this process of multiprocessing when the one that asked for it does, however that ends."""
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
