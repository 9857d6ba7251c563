"""Stories of single machines: born, restarted, copied, killed, removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local_cloud.hosts import control_groups
from local_cloud.hosts.process import children, owned_by
from local_cloud.machine import MachineError

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = pytest.mark.hosts

Eventually = Callable[[Callable[[], bool]], bool]


@pytest.mark.parametrize("image", ["debian-12-x64", "debian-13-x64"])
def test_a_new_machine_answers_over_ssh_with_the_host_key_it_was_given(
    site: Site, image: str
) -> None:
    site.hypervisor.prepare_image(image, lambda line: None)
    started = time.monotonic()
    web = site.boot("web", 1, image=image)
    took = time.monotonic() - started

    assert site.says(web, "hostname") == "web"
    assert "done" in site.says(web, "cloud-init status --wait")
    assert site.says(web, "cat /etc/greeting; id -un deploy; ls /root") == "hellodeploy\nran"
    assert site.says(web, "systemctl --failed --no-legend") == ""
    assert took < 20, "a boot is a matter of seconds, also on a busy computer"


def test_a_machine_keeps_address_and_disk_over_a_reboot_and_a_power_cycle(site: Site) -> None:
    web = site.boot("web", 1)
    site.says(web, "cloud-init status --wait && echo kept > /root/note")
    first_boot = site.says(web, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1")

    site.hypervisor.reboot(web.id)
    assert site.says(web, "cat /root/note") == "kept"
    assert site.says(web, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1") != first_boot

    site.hypervisor.power_off(web.id)
    assert not site.hypervisor.is_running(web.id)
    site.hypervisor.start(web)
    assert site.says(web, "cat /root/note") == "kept"

    site.hypervisor.shut_down(web.id, grace_seconds=20)
    assert not site.hypervisor.is_running(web.id)
    site.hypervisor.start(web)
    assert site.says(web, "cat /root/note") == "kept"


def test_a_shutdown_lets_the_services_end_in_order(site: Site) -> None:
    web = site.boot("web", 1)
    site.says(
        web,
        "printf '[Service]\\nExecStart=sleep 999\\nExecStopPost=touch /root/ended\\n'"
        " > /etc/systemd/system/story.service && systemctl start story",
    )

    site.hypervisor.shut_down(web.id, grace_seconds=20)

    assert (site.folder_of(web) / "upper/root/ended").exists()


def test_a_machine_that_reboots_itself_comes_back_and_one_that_powers_off_stays_off(
    site: Site, eventually: Eventually
) -> None:
    web = site.boot("web", 1)
    before = site.hypervisor._process(web.id).init

    site.ssh(web, "systemctl reboot")
    assert eventually(lambda: site.hypervisor._process(web.id).init not in (before, None))
    assert eventually(lambda: site.ssh(web, "true").returncode == 0)

    site.ssh(web, "systemctl poweroff")
    assert eventually(lambda: not site.hypervisor.is_running(web.id))
    time.sleep(0.5)
    assert not site.hypervisor.is_running(web.id)


def test_every_call_can_be_repeated(site: Site) -> None:
    web = site.boot("web", 1)
    init = site.hypervisor._process(web.id).init

    site.hypervisor.create(web)
    site.hypervisor.start(web)
    assert site.hypervisor._process(web.id).init == init, "a running machine is left alone"

    for _ in range(2):
        site.hypervisor.power_off(web.id)
        site.hypervisor.shut_down(web.id, grace_seconds=1)
    for _ in range(2):
        site.hypervisor.destroy(web.id)
    site.hypervisor.destroy(4711)


def test_a_snapshot_becomes_the_image_of_another_machine(site: Site) -> None:
    web = site.boot("web", 1)
    site.says(web, "cloud-init status --wait && echo from-web > /root/note && sync")

    gigabytes = site.hypervisor.snapshot(web.id, 7)
    copy = site.boot("copy", 2, image="snapshot-7")

    assert 0.1 < gigabytes < 2
    assert site.says(copy, "cat /root/note; hostname") == "from-web\ncopy"
    with pytest.raises(MachineError, match="snapshot 7 is the disk of droplet 1002"):
        site.hypervisor.delete_snapshot(7)

    site.says(copy, "echo changed > /root/note")
    assert site.says(web, "cat /root/note") == "from-web"
    site.hypervisor.destroy(copy.id)
    site.hypervisor.delete_snapshot(7)
    with pytest.raises(MachineError, match="there is no such snapshot"):
        site.hypervisor.create(replace(web, id=1009, image="snapshot-7"))


def test_a_machine_outlives_the_process_that_made_it(site: Site) -> None:
    web = site.specify("web", 1)
    creator = (
        "import pickle, sys; from pathlib import Path\n"
        "from local_cloud.hosts.hypervisor import NspawnHypervisor\n"
        "spec = pickle.load(sys.stdin.buffer)\n"
        f"NspawnHypervisor(Path({str(site.hypervisor.state)!r}),"
        f" Path({str(site.hypervisor.cache)!r})).create(spec)\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    import pickle

    done = subprocess.run(
        [sys.executable, "-c", creator], input=pickle.dumps(web), check=False, capture_output=True
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert site.hypervisor.is_running(web.id)
    assert site.says(web, "echo here") == "here"


@pytest.mark.parametrize("victim", ["holder", "runner", "supervisor", "init"])
def test_killing_any_process_of_a_machine_is_noticed_and_leaves_no_rest(
    site: Site, eventually: Eventually, victim: str
) -> None:
    web = site.boot("web", 1)
    site.says(web, "echo kept > /root/note; sync")
    holder = site.hypervisor._process(web.id).process
    assert holder is not None
    (runner,) = children(holder.pid)
    (supervisor,) = children(runner)
    (init,) = children(supervisor)
    pids = {"holder": holder.pid, "runner": runner, "supervisor": supervisor, "init": init}

    os.kill(pids[victim], signal.SIGKILL)

    assert eventually(lambda: not site.hypervisor.is_running(web.id))
    assert eventually(
        lambda: not any(Path(f"/proc/{pid}/root/etc").exists() for pid in pids.values())
    )
    assert str(site.folder_of(web)) not in Path("/proc/mounts").read_text()
    site.hypervisor.start(web)
    assert site.says(web, "cat /root/note") == "kept"


def test_a_machine_uses_no_more_memory_than_its_size(site: Site) -> None:
    web = replace(site.specify("web", 1), memory_mib=256)
    site.hypervisor.create(web)
    name = site.hypervisor.names.machine(web.id)
    used = control_groups.memory_bytes(name)
    if used is None:
        pytest.skip("this computer has no memory controller")

    greedy = site.ssh(web, "python3 -c 'x = bytearray(400 * 1024 * 1024)'")

    assert greedy.returncode != 0
    assert 0 < used < 256 * 1024 * 1024


def test_a_machine_whose_image_is_not_known_is_refused_by_name(site: Site) -> None:
    with pytest.raises(MachineError, match="'ubuntu-24-04-x64': this cloud has debian-12-x64"):
        site.boot("web", 1, image="ubuntu-24-04-x64")
    assert not list((site.hypervisor.state).glob("machines/*"))


def test_two_machines_boot_side_by_side(site: Site) -> None:
    from concurrent.futures import ThreadPoolExecutor

    specs = [site.specify("web", 1), site.specify("db", 2)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(site.hypervisor.create, specs))

    assert [site.says(spec, "hostname") for spec in specs] == ["web", "db"]


def test_nothing_of_a_machine_holds_a_secret_that_others_can_read(site: Site) -> None:
    web = site.boot("web", 1)
    secret = site.host_key.private.splitlines()[1]

    assert site.folder_of(web).stat().st_mode & 0o077 == 0
    for process in owned_by(site.hypervisor.names.tag):
        command = Path(f"/proc/{process.pid}/cmdline").read_text(errors="replace")
        environment = Path(f"/proc/{process.pid}/environ").read_text(errors="replace")
        assert secret not in command + environment
    assert secret not in (site.folder_of(web) / "console.log").read_text(errors="replace")
