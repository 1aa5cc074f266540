"""What the fault tests share: waybill on a wire between two namespaces of the test's own, and datagrams that can be counted."""
import contextlib, json, os, pathlib, signal, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import ready

WAYBILL = os.environ.get("WAYBILL", os.path.join(os.getcwd(), "waybill"))
SKIP = 77
HERE, THERE = "198.51.100.10", "203.0.113.7"
NAMES = [f"wbf{os.getpid()}a", f"wbf{os.getpid()}b"]

# Each datagram from a port and to a port of its own: a flow, and an event, that no other one has.
SENDER = """
import socket, sys, time
count, rate, first = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
begin = time.monotonic()
for i in range(count):
    n = first + i
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("198.51.100.10", 20000 + n % 20000))
    s.sendto(b"datagram %d" % n, ("203.0.113.7", 20000 + n // 20000))
    s.close()
    ahead = begin + i / rate - time.monotonic()
    if ahead > 0.002:
        time.sleep(ahead)
"""


def fail(message):
    print(f"FAIL: {message}")
    sys.exit(1)


def skip(message):
    print(f"SKIP: {message}")
    sys.exit(SKIP)


def sh(*command):
    return subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def within(name, *command, **options):
    return subprocess.Popen(["ip", "netns", "exec", name, *map(str, command)], **options)


@contextlib.contextmanager
def wire():
    """Two namespaces and a link; what is sent to THERE from the first one crosses it."""
    try:
        for name in NAMES:
            made = sh("ip", "netns", "add", name)
            if made.returncode != 0:
                skip(f"no network namespace can be made: {made.stderr.strip()}")
        sh("ip", "link", "add", "wire", "netns", NAMES[0], "type", "veth", "peer", "name", "wire", "netns", NAMES[1])
        for name, own, other in ((NAMES[0], HERE, THERE), (NAMES[1], THERE, HERE)):
            ip = ("ip", "netns", "exec", name)
            sh(*ip, "sysctl", "-qw", "net.ipv6.conf.wire.disable_ipv6=1", "net.ipv4.icmp_ratelimit=0")
            sh("ip", "-n", name, "addr", "add", own + "/32", "dev", "wire")
            sh("ip", "-n", name, "link", "set", "wire", "up")
            sh("ip", "-n", name, "route", "add", other + "/32", "dev", "wire")
        yield
    finally:
        for name in NAMES:
            sh("ip", "netns", "del", name)


class Sensor:
    """waybill -i wire in the first namespace; conf: YAML beside what every run has."""
    def __init__(self, folder, conf, *options):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o777)  # whom waybill becomes makes files here
        path = self.folder / "waybill.yaml"
        path.write_text("attribution: {auto_detect: no, builtin: no, home_networks: [198.51.100.0/24],\n"
                        f" lists: [{{path: list.cidr, name: test, jurisdiction: KP, confidence: confirmed}}]}}\n{conf}\n")
        (self.folder / "list.cidr").write_text("203.0.113.120/32\n")
        self.log = open(self.folder / "log", "w+")
        told = ready.Ready()
        self.process = within(NAMES[0], WAYBILL, "-i", "wire", "-c", path, *options, env=told.environ, stdout=subprocess.DEVNULL, stderr=self.log)
        if not told.wait(self.process):
            fail(f"waybill is not ready, or ended: {self.said()}")

    def said(self):
        self.log.flush()
        return (self.folder / "log").read_text()

    def wait_for(self, what, seconds, test):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if test():
                return
            time.sleep(0.05)
        fail(f"{what} did not come in {seconds} s: {self.said()}")

    def end(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            fail("it does not end after SIGTERM")
        if self.process.returncode != status:
            fail(f"exit status {self.process.returncode}: {self.said()}")
        return self.said()


def send(count, rate, first=0):
    return within(NAMES[0], sys.executable, "-c", SENDER, count, rate, first)


def events(path):
    """Every line of a file, each of which must be whole."""
    text = pathlib.Path(path).read_bytes()
    if text and not text.endswith(b"\n"):
        fail(f"{path} ends with half a line: {text[-80:]}")
    try:
        return [json.loads(line) for line in text.splitlines()]
    except ValueError as e:
        fail(f"{path}: {e}")


def flow_ports(found):
    """The datagrams' flows among events, as (port, port)."""
    return [(e["source"]["port"], e["destination"]["port"]) for e in found
            if e["event"]["dataset"] == "waybill.flow" and e["network"]["transport"] == "udp" and e["source"]["ip"] == HERE]


def ports(count, first=0):
    return {(20000 + n % 20000, 20000 + n // 20000) for n in range(first, first + count)}
