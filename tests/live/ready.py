"""When a sensor watches: it says so as it says it to systemd (sd_notify(3)), however slow the machine is."""
import contextlib, os, pathlib, select, socket, tempfile, time


class Ready:
    """Where one sensor says it: environ is what it is started with."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="waybill-ready-"))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(str(self.folder / "socket"))
        for path, mode in ((self.folder, 0o755), (self.folder / "socket", 0o777)):
            path.chmod(mode)  # the sensor may be started as nobody
        self.environ = {**os.environ, "NOTIFY_SOCKET": str(self.folder / "socket")}

    def wait(self, process, seconds=30):
        """Returns when process is ready, has ended (see its poll()), or after so many seconds: then False."""
        until = time.monotonic() + seconds
        try:
            while process.poll() is None and time.monotonic() < until:
                if select.select([self.socket], [], [], 0.05)[0] and b"READY=1" in self.socket.recv(4096).split(b"\n"):
                    return True
            return False
        finally:
            self.close()

    def close(self):
        """What is said later goes nowhere, and the sensor does not mind."""
        self.socket.close()
        with contextlib.suppress(OSError):
            (self.folder / "socket").unlink()
            self.folder.rmdir()
