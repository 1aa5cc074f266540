"""What the replay tests share: running waybill, and events without what may differ."""
import json, os, pathlib, subprocess, sys

SOURCE = pathlib.Path(os.environ.get("srcdir", ".")).resolve()
WAYBILL = os.environ.get("WAYBILL", os.path.join(os.getcwd(), "waybill"))
BARE = SOURCE / "tests/replay/bare.yaml"  # no database of this machine
SAMPLES = sorted((SOURCE / "pcaps").glob("*.pcap")) + sorted((SOURCE / "pcaps/protocols").glob("*.pcap"))
SKIP = 77


def replay(paths, *options, stdin=None):
    """Answers the exit status, the lines on standard output, and standard error."""
    command = [WAYBILL, "-q", *(x for p in paths for x in ("-r", str(p))), *map(str, options)]
    done = subprocess.run(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def events(paths, *options, stdin=None):
    """The events of a replay as lines without what may differ between two runs: processing time and host."""
    status, out, err = replay(paths, "-o", "-", *options, stdin=stdin)
    lines = []
    for line in out.splitlines():
        event = json.loads(line)
        event["event"].pop("ingested", None)
        event.get("observer", {}).pop("hostname", None)
        lines.append(event)
    return status, lines, err


def text(lines):
    return "".join(json.dumps(e, ensure_ascii=False, sort_keys=True, indent=1) + "\n" for e in lines)


def fail(message):
    print(f"FAIL: {message}")
    sys.exit(1)
