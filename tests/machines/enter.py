"""Inside fresh namespaces, as process 1: make the root this machine's own, then hand over to `init.py`.

Its argument is JSON: {"root", "name", "shared": [paths of the old machine, read only], "init": what init.py is told}.
A change of root by pivot_root and not by chroot: in a chroot the kernel refuses user namespaces, which are what the
browsers shut their content processes in.
"""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def main() -> None:
    """Mount what a machine has, take the root over and become `init.py`."""
    told = json.loads(sys.argv[1])
    init = (Path(__file__).parent / "init.py").read_text()
    root = Path(told["root"])
    mount("--bind", str(root), str(root))
    mount_devices(root / "dev")
    mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", str(root / "proc"))
    mount("-t", "sysfs", "-o", "ro,nosuid,nodev,noexec", "sysfs", str(root / "sys"))
    mount("-t", "tmpfs", "-o", "nosuid,nodev,mode=755", "run", str(root / "run"))
    for path in map(Path, told["shared"]):
        # One that lies in a folder shown before is there already.
        if not is_there(root / path.relative_to("/")):
            share(path, root=root)
    socket.sethostname(told["name"])
    before = root / "run" / "before"
    before.mkdir()
    os.chdir(root)
    # From here on only what is imported already: the files of this Python are out of reach.
    subprocess.run(["pivot_root", ".", "run/before"], check=True)
    os.chdir("/")
    subprocess.run(["umount", "-l", "/run/before"], check=True, env=ENVIRONMENT)
    Path("/run/before").rmdir()
    os.execve("/usr/bin/python3", ["python3", "-u", "-c", init, json.dumps(told["init"])], ENVIRONMENT)


def mount(*arguments: str) -> None:
    """Mount, or end with what mount(8) said."""
    subprocess.run(["mount", *arguments], check=True)


def mount_devices(dev: Path) -> None:
    """Give the machine devices of its own: the few that every machine has, its own terminals, shared memory."""
    mount("-t", "tmpfs", "-o", "nosuid,mode=755", "dev", str(dev))
    umask = os.umask(0)
    for name, (major, minor) in DEVICES.items():
        os.mknod(dev / name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
    os.umask(umask)
    for name, target in LINKS.items():
        (dev / name).symlink_to(target)
    (dev / "pts").mkdir()
    (dev / "shm").mkdir()
    mount("-t", "devpts", "-o", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5", "devpts", str(dev / "pts"))
    mount("-t", "tmpfs", "-o", "nosuid,nodev,mode=1777", "shm", str(dev / "shm"))


def is_there(place: Path) -> bool:
    """Tell whether something is at a place: an earlier start leaves an empty file or folder where it has shared."""
    if place.is_dir():
        return any(place.iterdir())
    return place.exists() and place.stat().st_size > 0


def share(path: Path, *, root: Path) -> None:
    """Show a file or folder of the old machine at the same place, read only."""
    place = root / path.relative_to("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        place.mkdir(exist_ok=True)
    else:
        place.touch()
    mount("--bind", "-o", "ro", str(path), str(place))


if __name__ == "__main__":
    main()
