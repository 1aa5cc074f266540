"""What the scripts that make sample captures share: two network namespaces with documentation addresses, joined by a
wire on which tcpdump records. No packet goes anywhere else. Needs root, iproute2 and tcpdump.
"""
import contextlib, os, pathlib, shutil, subprocess, sys, time

CLIENT, SERVER = "198.51.100.10", "203.0.113.120"
CLIENT6, SERVER6 = "2001:db8:1::10", "2001:db8:2::120"


class World:
    """Two namespaces and a wire; everything it starts is stopped by its own id."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.names = [f"wb{os.getpid()}c", f"wb{os.getpid()}s"]
        self.running = []

    def __enter__(self):
        c, s = self.names
        for name in self.names:
            sh("ip", "netns", "add", name)
            sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "link", "add", "wire", "netns", c, "type", "veth", "peer", "name", "wire", "netns", s)
        for name, own, own6, other, other6 in ((c, CLIENT, CLIENT6, SERVER, SERVER6), (s, SERVER, SERVER6, CLIENT, CLIENT6)):
            sh("ip", "-n", name, "addr", "add", own + "/32", "dev", "wire")
            sh("ip", "-n", name, "addr", "add", own6 + "/128", "dev", "wire", "nodad")
            sh("ip", "-n", name, "link", "set", "wire", "up")
            sh("ip", "-n", name, "route", "add", other + "/32", "dev", "wire")
            sh("ip", "-n", name, "route", "add", other6 + "/128", "dev", "wire")
            sh("ip", "netns", "exec", name, "ethtool", "-K", "wire", "tso", "off", "gso", "off", "gro", "off", "tx", "off", ok=True)
        return self

    def __exit__(self, *failure):
        for process in reversed(self.running):
            process.terminate()
            process.wait()
        for name in self.names:
            sh("ip", "netns", "del", name, ok=True)

    def start(self, side, *command):
        process = subprocess.Popen(["ip", "netns", "exec", self.names[side], *map(str, command)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running.append(process)
        return process

    def client(self, *command, ok=False):
        sh("ip", "netns", "exec", self.names[0], *map(str, command), ok=ok)

    @contextlib.contextmanager
    def capture(self, path):
        dump = self.start(0, "tcpdump", "--immediate-mode", "-i", "wire", "-U", "-s", "0", "-w", path, "ip or ip6 and not icmp6")
        time.sleep(0.7)
        yield
        time.sleep(0.7)
        dump.terminate()
        dump.wait()

    @contextlib.contextmanager
    def slow(self, side):
        """The wire takes 20 kB a second of what side sends."""
        queue = ("ip", "netns", "exec", self.names[side], "tc", "qdisc")
        sh(*queue, "add", "dev", "wire", "root", "tbf", "rate", "160kbit", "burst", "3000", "limit", "6000")
        yield
        sh(*queue, "del", "dev", "wire", "root")

    def small_buffers(self):
        """Little of a file waits in the systems' buffers."""
        for name in self.names:
            sh("ip", "netns", "exec", name, "sysctl", "-q", "-w", "net.ipv4.tcp_wmem=4096 4096 8192", "net.ipv4.tcp_rmem=4096 4096 8192")

    def killed(self, side, seconds, *command):
        """A client that dies in the middle of what side sends."""
        with self.slow(side):
            self.client("timeout", "-s", "KILL", seconds, *command, ok=True)
            time.sleep(0.5)

    @contextlib.contextmanager
    def hosts(self, name):
        """The client knows the server by this name: ip netns exec lays the file over /etc/hosts."""
        folder = pathlib.Path("/etc/netns") / self.names[0]
        folder.mkdir(parents=True)
        (folder / "hosts").write_text(f"{SERVER} {name}\n")
        try:
            yield
        finally:
            shutil.rmtree(folder)

    def wait(self, port):
        for _ in range(100):
            if subprocess.run(["ip", "netns", "exec", self.names[1], "sh", "-c", f"ss -Hltn 'sport = :{port}' | grep -q ."]).returncode == 0:
                return
            time.sleep(0.05)
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: nothing listens on port {port}")


def sh(*command, ok=False):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0 and not ok:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {' '.join(map(str, command))}: {done.stderr.decode().strip()}")


def material(folder, name, size, head=b""):
    """A file of its own kind, the same in every run: name may be bytes."""
    seed, body = sum(os.fsencode(name)) | 1, bytearray(head)
    while len(body) < size:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        body += seed.to_bytes(8, "little")
    path = os.path.join(os.fsencode(folder), os.fsencode(name))
    with open(path, "wb") as out:
        out.write(bytes(body[:size]))
    return os.fsdecode(path)
