"""What the measuring scripts share: programs run and weighed, captures made, instructions counted."""
import collections, os, pathlib, re, shutil, struct, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent

Run = collections.namedtuple("Run", "cpu wall rss")  # seconds, seconds, MB


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, stdin=subprocess.DEVNULL):
    """Runs it without output and weighs it: CPU is user and system time of the process alone."""
    command = [str(word) for word in command]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)} ended with {process.returncode}\n{error.decode(errors='replace')}")
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024 / 1e6)


def replay(program, capture, *more, workers=1):
    """The command that replays a capture, in one thread unless told otherwise; events go where more says."""
    help_text = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
    threads = ["--workers", workers] if "--workers" in help_text else []
    return [program, "-q", *threads, "-r", capture, *more]


def generate_command(build, kind, scale, *more):
    return [str(build / "bench/generate"), kind, "--scale", f"{scale:.9g}", "--seeds", str(SOURCE / "pcaps"), *map(str, more)]


def generate(build, kind, scale, path):
    with open(path, "wb") as out:
        subprocess.run(generate_command(build, kind, scale), stdout=out, check=True)


def empty_capture(path):
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))


# ---- instructions

Count = collections.namedtuple("Count", "total functions")  # instructions; of each function itself


def has_valgrind():
    return shutil.which("valgrind") is not None


def count_instructions(command, folder):
    out = pathlib.Path(folder) / "callgrind.out"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *map(str, command)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr}")
    count = read_callgrind(out)
    out.unlink()
    return count


def read_callgrind(path):
    """Self cost by function, as name@file; names are written out once and then numbered."""
    names, functions, total = {}, collections.Counter(), 0
    current, place, is_call = None, {"ob": "", "fl": ""}, False
    for line in open(path, errors="replace"):
        if line[0] in "0123456789+-*":
            if not is_call:
                functions[current] += int(line.split()[1])
            is_call = False
            continue
        field = re.match(r"(fn|fl|ob|cfn|cfi|cfl|cob|fi|fe)=\((\d+)\)(?: (.*))?$", line)
        if field is not None:
            key, number, name = field.groups()
            table = {"cfn": "fn", "cob": "ob"}.get(key, key)
            table = "fl" if table in ("cfi", "cfl", "fi", "fe") else table
            if name is not None:
                names[table, number] = name
            if key == "fn":
                file = place["fl"] if place["fl"] not in ("", "???") else place["ob"]
                current = f"{names['fn', number]}@{os.path.basename(file)}"
            elif key in place:
                place[key] = names[table, number]
        elif line.startswith("calls="):
            is_call = True
        elif line.startswith("summary:"):
            total = int(line.split()[1])
    return Count(total, functions)


def table(header, rows, stream=sys.stdout):
    """A Markdown table whose columns line up; the first column is text, the others are figures."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    line = lambda row: "| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |"
    print(line(header), file=stream)
    print("| " + " | ".join("-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)) + " |", file=stream)
    for row in rows:
        print(line(row), file=stream)
