"""The part of a distributed campaign that runs in the workers' processes: hands tasks to lanes.

A worker keeps, for each campaign, what it has been sent: the base (program, policy, options) and
the corpus. Each of its threads that runs a slice does so in a lane, a process of its own
(`lane`), as Python threads would take turns.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass, field
from shutil import rmtree
from tempfile import mkdtemp
from threading import Lock, Timer

from emukernel import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Campaigns that a worker remembers.
_MAX_CAMPAIGNS = 4


class LaneProcess:
    """A lane. `fed` counts the items of the campaign's corpus that it was given."""

    def __init__(self) -> None:
        import emukernel

        package = os.path.dirname(os.path.dirname(os.path.abspath(emukernel.__file__)))
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self.fed = 0
        self.fresh = True
        self._directory = mkdtemp(prefix="emukernel-lane-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "emukernel.fuzz.lane", self._directory],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path}, start_new_session=True,
        )

    def ask(self, task: dict[str, Any], seconds: float) -> dict[str, Any]:
        """A task's answer. RuntimeError if the lane ends or takes longer than `seconds`."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        timer = Timer(seconds, process.kill)
        timer.daemon = True
        timer.start()
        try:
            pickle.dump(task, process.stdin)
            process.stdin.flush()
            answer: dict[str, Any] = pickle.load(process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            self.end()
            raise RuntimeError("a fuzzing process ended") from None
        finally:
            timer.cancel()
        return answer

    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends it."""
        process = self._process
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    # What it would still have been sent.
                    continue
        rmtree(self._directory, ignore_errors=True)


@dataclass(slots=True)
class _Campaign:
    base: dict[str, Any]
    items: list[tuple[str, str, bytes]] = field(default_factory=list)
    idle: list[LaneProcess] = field(default_factory=list)


_lock = Lock()
_campaigns: dict[str, _Campaign] = {}


def run_slice(task: dict[str, Any]) -> dict[str, Any]:
    """Runs one slice, as `cluster` made it; `lane.Lane.run`'s answer with `have`, how many items of
    the corpus this worker has now. Just `need`, if it lacks what the task builds on."""
    if task["version"] != __version__:
        # Its findings might be others, and edges have other names.
        text = f"the worker has emukernel {__version__}, the campaign emukernel {task['version']}"
        return {"error": text, "lane": True}
    with _lock:
        campaign = _campaigns.get(task["campaign"])
        if campaign is None and "base" in task:
            while len(_campaigns) >= _MAX_CAMPAIGNS:
                _forget(next(iter(_campaigns)))
            campaign = _campaigns[task["campaign"]] = _Campaign(task["base"])
        if campaign is None or task["from"] > len(campaign.items):
            return {"need": True}
        # Items keep their places; of another slice's task some may be here already.
        campaign.items += task["items"][len(campaign.items) - task["from"] :]
        have = len(campaign.items)
        lane = None
        while campaign.idle and (lane is None or not lane.alive()):
            lane = campaign.idle.pop()
    if lane is None or not lane.alive():
        lane = LaneProcess()
    asked = {key: task[key] for key in ("seconds", "execs", "token", "folded", "findings")}
    asked["items"] = campaign.items[lane.fed : have]
    if lane.fresh:
        asked["base"] = campaign.base
    answer = lane.ask(asked, task["deadline"])
    if "error" in answer:
        lane.end()
        return answer
    lane.fresh = False
    lane.fed = have
    with _lock:
        if _campaigns.get(task["campaign"]) is campaign:
            campaign.idle.append(lane)
        else:
            lane.end()
    return answer | {"have": have}


def _forget(name: str) -> None:
    for lane in _campaigns.pop(name).idle:
        lane.end()
