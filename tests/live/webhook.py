"""Delivers alerts through tests/live/webhook-driver to HTTPS receivers on 127.0.0.1 that misbehave."""
import base64
import email.utils
import hashlib
import hmac
import http.server
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

DRIVER = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
KILLS, ALERTS = 50, 500


class Handler(http.server.BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"
	timeout = 20

	def setup(self):
		super().setup()
		self.server.connections += 1

	def do_GET(self):
		self.answer("GET", b"")

	def do_POST(self):
		self.answer("POST", self.rfile.read(int(self.headers["Content-Length"])))

	def answer(self, method, body):
		with self.server.lock:
			self.server.requests.append((time.time(), method, self.path, self.headers, body))
			action = self.server.script.pop(0) if self.server.script else self.server.otherwise
		status, headers, pause, answer = action
		if pause:
			time.sleep(pause)
		try:
			self.send_response(status)
			for name, value in headers.items():
				self.send_header(name, value)
			self.send_header("Content-Length", str(len(answer)))
			self.end_headers()
			self.wfile.write(answer)
		except OSError:
			self.close_connection = True

	def log_message(self, *args):
		pass


class Receiver(http.server.ThreadingHTTPServer):
	"""Answers as script says, one entry a request, and then otherwise."""
	daemon_threads = True

	def __init__(self, certificate=None, port=0):
		super().__init__(("127.0.0.1", port), Handler)
		self.lock = threading.Lock()
		self.requests, self.script, self.otherwise, self.connections = [], [], reply(200), 0
		self.scheme = "https" if certificate else "http"
		if certificate:
			context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
			context.load_cert_chain(certificate)
			# The handshake belongs to the connection's own thread.
			self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
		threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

	def url(self, path="/hook"):
		return f"{self.scheme}://127.0.0.1:{self.server_port}{path}"

	def ids(self):
		return [headers["webhook-id"] for _, _, _, headers, _ in self.requests]

	def handle_error(self, request, client_address):
		pass

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.shutdown()
		self.server_close()


def reply(status, headers=None, pause=0, answer=b""):
	return (status, headers or {}, pause, answer)


def openssl(*args):
	subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(folder):
	"""Two authorities; a certificate of the first for 127.0.0.1, and one for another host."""
	for ca in ("ca", "other-ca"):
		openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
		        "-subj", f"/CN=waybill test {ca}", "-keyout", f"{folder}/{ca}.key", "-out", f"{folder}/{ca}.pem")
	for name, san in (("server", "IP:127.0.0.1"), ("elsewhere", "DNS:elsewhere.example")):
		openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
		        "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
		with open(f"{folder}/{name}.ext", "w") as f:
			f.write(f"subjectAltName={san}\n")
		openssl("x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key",
		        "-CAcreateserial", "-days", "2", "-extfile", f"{folder}/{name}.ext", "-out", f"{folder}/{name}.crt")
		with open(f"{folder}/{name}.pem", "w") as out:
			for part in (f"{folder}/{name}.key", f"{folder}/{name}.crt"):
				with open(part) as f:
					out.write(f.read())


class Case:
	"""One spool and its configuration."""

	def __init__(self, certificates):
		self.certificates = certificates
		self.folder = tempfile.mkdtemp(prefix="waybill-webhook-")
		self.spool = self.folder + "/state/spool.db"
		self.told = 0

	def configure(self, *urls, wait="10s", ca="ca.pem", **keys):
		lines = ["output:", "  spool: state/spool.db", f"  delivery_wait: {wait}", "webhooks:"]
		for number, url in enumerate(urls):
			lines += [f"- name: desk{number}", f"  url: {url}", f"  secret: {SECRET}"]
			options = {"retry_first": "20ms", "retry_max": "80ms", "timeout": "2s", **keys}
			if ca:
				options["ca_file"] = f"{self.certificates}/{ca}"
			lines += [f"  {key}: {value}" for key, value in options.items()]
		with open(self.folder + "/waybill.yaml", "w") as f:
			f.write("\n".join(lines) + "\n")

	def start(self, alerts=0, **popen):
		"""The driver, which tells so many more alerts."""
		environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
		args = [DRIVER, self.folder + "/waybill.yaml", str(self.told + 1), str(self.told + alerts),
		        self.folder + "/progress"]
		self.told += alerts
		return subprocess.Popen(args, stderr=subprocess.PIPE, text=True, env=environment, **popen)

	def run(self, alerts=0, status=0, **popen):
		process = self.start(alerts, **popen)
		_, log = process.communicate(timeout=30)
		check(process.returncode == status, f"exit status {process.returncode}, not {status}:\n{log}")
		check(SECRET not in log and "http" not in re.sub(r"http 1\.|schema", "", log), "a secret or URL in the log:\n" + log)
		return log

	def list(self):
		return subprocess.run([DRIVER, "--list", self.spool], check=True, capture_output=True, text=True).stdout.splitlines()


def check(truth, what):
	if not truth:
		raise AssertionError(what)


def same(got, expected, what):
	check(got == expected, f"{what}: {got!r}, not {expected!r}")


def ids(first, last):
	return [f"alert-{n:06}-open" for n in range(first, last + 1)]


def check_signature(request):
	_, _, _, headers, body = request
	signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
	expected = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
	same(headers["webhook-signature"], expected, "webhook-signature")
	check(abs(int(headers["webhook-timestamp"]) - time.time()) < 60, "webhook-timestamp is not of this attempt")


def test_plain_sailing(case, certificates):
	with Receiver(certificates + "/server.pem") as r:
		case.configure(r.url())
		case.run(alerts=20)
		same(r.ids(), ids(1, 20), "ids in order")
		same(r.connections, 1, "connections: one is kept alive")
		for request in r.requests:
			check_signature(request)
			_, method, path, headers, body = request
			same((method, path, headers["Content-Type"]), ("POST", "/hook", "application/json"), "request")
			check(headers["User-Agent"].startswith("waybill/"), "User-Agent")
			same(json.loads(body)["event"]["dataset"], "waybill.alert", "event.dataset")
		same(case.list(), [], "spool")
		same(os.stat(case.spool).st_mode & 0o777, 0o600, "mode of the spool")


def test_refused_then_up(case, certificates):
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		port = s.getsockname()[1]
	case.configure(f"https://127.0.0.1:{port}/hook")
	process = case.start(alerts=3)
	check(any("cannot deliver" in line for line in process.stderr), "the failure is not told")
	with Receiver(certificates + "/server.pem", port) as r:
		same(process.wait(timeout=20), 0, "exit status")
		same(r.ids(), ids(1, 3), "ids in order")


def test_left_for_the_next_run(case, certificates):
	case.configure("https://127.0.0.1:1/hook", wait="100ms")
	log = case.run(alerts=2, status=1)
	check(f"2 alerts are still in the spool {case.spool} and will be sent by the next run" in log, log)
	with Receiver(certificates + "/server.pem") as r:
		case.configure(r.url())
		case.run(alerts=1)
		same(r.ids(), ids(1, 3), "earlier ones first")


def test_renamed(case, certificates):
	case.configure("https://127.0.0.1:1/a", "https://127.0.0.1:1/b", wait="0s")
	case.run(alerts=1, status=1)
	with Receiver(certificates + "/server.pem") as r:
		case.configure(r.url())
		log = case.run()
		check("desk1: is not in the configuration; alerts that wait for it in the spool: 1" in log, log)
		same(len(case.list()), 1, "and are kept")


def test_server_errors(case, certificates):
	with Receiver(certificates + "/server.pem") as r:
		r.script = [reply(500), reply(503), reply(404), reply(200)]
		case.configure(r.url())
		case.run(alerts=2)
		same(r.ids(), ids(1, 1) * 4 + ids(2, 2), "the head is repeated with one id, and nothing overtakes it")
		for request in r.requests:
			check_signature(request)


def test_retry_after(case, certificates):
	with Receiver(certificates + "/server.pem") as r:
		date = email.utils.formatdate(time.time() + 3, usegmt=True)
		r.script = [reply(429, {"Retry-After": "1"}), reply(503, {"Retry-After": date})]
		case.configure(r.url())
		case.run(alerts=1)
		times = [request[0] for request in r.requests]
		same(len(times), 3, "attempts")
		check(times[1] - times[0] >= 0.99, f"429 with Retry-After 1 repeated after {times[1] - times[0]:.2f} s")
		check(times[2] - times[1] >= 0.5, f"503 with a date repeated after {times[2] - times[1]:.2f} s")


def test_slow_answers(case, certificates):
	with Receiver(certificates + "/server.pem") as r:
		r.script = [reply(200, pause=1.2), reply(200)]
		case.configure(r.url(), timeout="300ms")
		log = case.run(alerts=1)
		same(r.ids(), ids(1, 1) * 2, "ids")
		check("timed out" in log.lower(), log)


def test_huge_answer(case, certificates):
	with Receiver(certificates + "/server.pem") as r:
		r.script = [reply(200, answer=b"x" * 4_000_000)]
		case.configure(r.url())
		case.run(alerts=2)
		same(r.ids(), ids(1, 2), "ids: the status counts, the rest is cut off")


def test_bad_certificate(case, certificates):
	for certificate, ca in (("server.pem", "other-ca.pem"), ("elsewhere.pem", "ca.pem"), ("server.pem", None)):
		with Receiver(f"{certificates}/{certificate}") as r:
			case.configure(r.url(), wait="200ms", ca=ca)
			log = case.run(alerts=1, status=1)
			same(r.requests, [], "requests")
			check("SSL" in log and "certificate" in log, log)
	with Receiver(certificates + "/server.pem") as r:
		case.configure(r.url())
		case.run()
		same(r.ids(), ids(1, 3), "nothing was lost by it")


def test_gone(case, certificates):
	with Receiver(certificates + "/server.pem") as r, Receiver(certificates + "/server.pem") as other:
		r.script = [reply(200), reply(410)]
		case.configure(r.url(), other.url())
		log = case.run(alerts=3, status=1)
		check("desk0: answered 410 Gone and is disabled" in log, log)
		same(r.ids(), ids(1, 2), "nothing after 410")
		same(other.ids(), ids(1, 3), "the other target goes on")
		log = case.run(alerts=1, status=1)
		same(r.ids(), ids(1, 2), "nothing in the next run")
		check("desk0: is disabled since it answered 410 Gone" in log, log)
		case.configure(r.url("/new"), other.url())
		case.run()
		same(r.ids(), ids(1, 2) + ids(2, 4), "another url enables it")


def test_redirect(case, certificates):
	with Receiver(certificates + "/server.pem") as r:
		r.script = [reply(302, {"Location": "/elsewhere"}), reply(307, {"Location": "/elsewhere"})]
		case.configure(r.url())
		log = case.run(alerts=1)
		same([request[2] for request in r.requests], ["/hook"] * 3, "paths")
		check("answered 302, a redirect, which is not followed" in log, log)


def test_one_fails_alone(case, certificates):
	with Receiver(certificates + "/server.pem") as bad, Receiver(certificates + "/server.pem") as good:
		bad.otherwise = reply(500)
		case.configure(bad.url(), good.url(), wait="300ms")
		case.run(alerts=10, status=1)
		same(good.ids(), ids(1, 10), "the good one")
		same(set(bad.ids()), set(ids(1, 1)), "the bad one does not get past its first")


def test_dead_letters(case, certificates):
	with Receiver(certificates + "/server.pem") as r:
		r.script = [reply(400)] * 100
		case.configure(r.url(), give_up="250ms")
		log = case.run(alerts=1, status=1)
		check("gave up on alert alert-000001-open" in log, log)
		check("1 alert was given up; it is a dead letter in the spool" in log, log)
		letters = case.list()
		same(len(letters), 1, "letters")
		check(re.match(r"1 desk0 alert-000001-open dead attempts=\d+ answered 400$", letters[0]), letters[0])
		r.script = []
		case.run(alerts=1)
		same(r.ids()[-1:], ids(2, 2), "the next one passes it")
		same(len(case.list()), 1, "the dead letter is kept")


def test_one_process_a_spool(case, certificates):
	case.configure("https://127.0.0.1:1/hook", wait="5s")
	first = case.start(alerts=1)
	while not os.path.exists(case.folder + "/progress") or os.path.getsize(case.folder + "/progress") == 0:
		time.sleep(0.01)
	log = case.run(status=2)
	check(f"spool {case.spool}: in use by process {first.pid}" in log, log)
	same(len(case.list()), 1, "it can be looked at meanwhile")
	first.kill()
	first.communicate()


def test_proxy(case, certificates):
	with Receiver() as r:
		case.configure("http://receiver.invalid/hook", proxy=r.url(""), ca=None)
		case.run(alerts=1)
		same([request[2] for request in r.requests], ["http://receiver.invalid/hook"], "asked of the proxy")


def test_full_disk(case, certificates):
	def small_files():
		signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
		resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
	case.configure("https://127.0.0.1:1/hook", wait="100ms")
	log = case.run(alerts=200, status=1, preexec_fn=small_files)
	lost = log.count("could not be stored and will not be sent: ")
	kept = len(case.list())
	check(lost > 0 and kept > 0, f"{lost} lost, {kept} kept:\n{log[-2000:]}")
	same(lost + kept, 200, "told as lost, and kept")
	check(f"{lost} alerts could not be stored in the spool" in log, log[-2000:])
	with Receiver(certificates + "/server.pem") as r:
		case.configure(r.url())
		case.run()
		same(len(set(r.ids())), kept, "what was kept arrives")


def test_kill(case, certificates):
	"""kill -9 at random moments of 50 lives in which 500 alerts are told, stored and sent."""
	seed = random.randrange(1 << 32)
	rng = random.Random(seed)
	told = kills = lives = 0
	with Receiver(certificates + "/server.pem") as r:
		r.otherwise = reply(200, pause=0.002)
		case.configure(r.url())
		while kills < KILLS:
			lives += 1
			check(lives < 10 * KILLS, f"only {kills} kills in {lives} lives")
			# All told before all kills are done: told again from somewhere, so that there is something to kill.
			case.told = told if told < ALERTS else rng.randrange(ALERTS // 2)
			process = case.start(min(ALERTS - case.told, 1 + rng.randrange(1 + 2 * (ALERTS - case.told) // (KILLS - kills))))
			time.sleep(rng.uniform(0.005, 0.22))
			process.kill() # that of a process which had nothing left to do does not count
			process.communicate()
			kills += process.returncode == -signal.SIGKILL
			told = max(told, progress(case, told))
		case.told = told
		left = len(case.list())
		case.run(ALERTS - told)
		seen = list(dict.fromkeys(r.ids()))
		same(seen, ids(1, ALERTS), f"first arrivals (seed {seed})")
		for request in r.requests:
			check_signature(request)
		same(case.list(), [], "spool")
		print(f"  {kills} kills in {lives} lives, {ALERTS - told} alerts told and {left} left after them, "
		      f"{len(r.requests)} requests for {ALERTS} alerts")


def progress(case, otherwise):
	try:
		with open(case.folder + "/progress") as f:
			return int(f.read() or otherwise)
	except FileNotFoundError:
		return otherwise


def main():
	tests = [(name, f) for name, f in globals().items() if name.startswith("test_")]
	wanted = sys.argv[2:]
	failures = 0
	certificates = tempfile.mkdtemp(prefix="waybill-ca-")
	make_certificates(certificates)
	for name, function in tests:
		if wanted and name not in wanted:
			continue
		case = Case(certificates)
		begin = time.time()
		try:
			function(case, certificates)
			print(f"ok {name} ({time.time() - begin:.1f} s)", flush=True)
		except Exception as problem:
			failures += 1
			print(f"FAILED {name}: {type(problem).__name__}: {problem}", flush=True)
		shutil.rmtree(case.folder, ignore_errors=True)
	shutil.rmtree(certificates, ignore_errors=True)
	return 1 if failures else 0


if __name__ == "__main__":
	sys.exit(main())
