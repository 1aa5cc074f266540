/* What a process can no longer do after priv_drop, each tried in a child of its own. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "priv.h"

enum { FINE = 42, NOT_DROPPED = 43 };

static char inside[64], outside[64];      /* folders */
static char inside_file[96], outside_file[96];

/* A deed: 0, or the errno of what was refused. Not coming back is an answer too. */
typedef int deed_fn(void);

static void
on_note(void *ctx, const char *note)
{
	(void)ctx;
	print_message("note: %s\n", note);
}

/* Lets a child drop, and do it: its exit status, or -signal. */
static int
try(deed_fn *deed, bool reads_everything)
{
	fflush(stdout);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit no_core = {0, 0};
		const char *const places[] = {inside_file};
		const struct priv_conf conf = {.reads_everything = reads_everything, .reads = places, .read_count = 1,
		        .writes = places, .write_count = 1};
		char error[256];
		setrlimit(RLIMIT_CORE, &no_core);
		if (priv_drop(&conf, on_note, NULL, error, sizeof error) < 0) {
			fprintf(stderr, "%s\n", error);
			_exit(NOT_DROPPED);
		}
		const int why = deed();
		_exit(why == 0 ? FINE : why);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int
open_as(const char *path, int flags)
{
	int fd = open(path, flags, 0600);
	return fd >= 0 ? 0 : errno;
}

static int
write_inside(void)
{
	return open_as(inside_file, O_WRONLY | O_CREAT | O_TRUNC);
}

static int
write_outside(void)
{
	return open_as(outside_file, O_WRONLY);
}

static int
read_inside(void)
{
	return open_as(inside_file, O_RDONLY);
}

static int
read_outside(void)
{
	return open_as(outside_file, O_RDONLY);
}

static int
read_system(void)
{
	return open_as("/etc/passwd", O_RDONLY);
}

static int
unlink_outside(void)
{
	return unlink(outside_file) == 0 ? 0 : errno;
}

static int
rename_inside(void)
{
	char to[128];
	snprintf(to, sizeof to, "%s.1", inside_file);
	return rename(inside_file, to) == 0 ? 0 : errno;
}

static int
webhook_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

static int
packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) >= 0 ? 0 : errno;
}

static int
offer_service(void)
{
	return listen(socket(AF_INET, SOCK_STREAM, 0), 1) == 0 ? 0 : errno;
}

static int
become_root(void)
{
	return setuid(0) == 0 ? 0 : errno;
}

static int
mount_something(void)
{
	return mount("none", inside, "tmpfs", 0, NULL) == 0 ? 0 : errno;
}

#ifndef __SANITIZE_ADDRESS__ /* whose leak checker needs both */
static int
fork_child(void)
{
	return fork() >= 0 ? 0 : errno;
}

static int
trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : errno;
}
#endif

static int
load_program(void)
{
	return syscall(SYS_bpf, 0, NULL, 0) >= 0 ? 0 : errno;
}

static int
execute(void)
{
	char name[] = "true";
	char *const words[] = {name, NULL}, *const none[] = {NULL};
	execve("/bin/true", words, none);
	return errno;
}

static int
raise_limit(void)
{
	const struct rlimit l = {100, 100};
	return setrlimit(RLIMIT_NOFILE, &l) == 0 ? 0 : errno;
}

static void *
rest(void *arg)
{
	return arg;
}

static void *
wait_long(void *arg)
{
	pause();
	return arg;
}

static int
start_thread(void)
{
	pthread_t t;
	int why = pthread_create(&t, NULL, rest, NULL);
	return why == 0 ? pthread_join(t, NULL) : why;
}

/* The line of /proc/self/status that begins so must have value. */
static bool
status_is(const char *name, const char *value)
{
	char line[256];
	bool is = false;
	FILE *f = fopen("/proc/self/status", "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0) {
			line[strcspn(line, "\n")] = '\0';
			is = strcmp(line + strlen(name) + strspn(line + strlen(name), "\t "), value) == 0;
			if (!is)
				fprintf(stderr, "%s\n", line);
		}
	if (f != NULL)
		fclose(f);
	return is;
}

static int
own_status(void)
{
	static const char none[] = "0000000000000000";
	const bool held = status_is("CapEff:", none) && status_is("CapPrm:", none) && status_is("CapInh:", none) &&
	        status_is("CapAmb:", none) && status_is("NoNewPrivs:", "1") && status_is("Seccomp:", "2");
	return held && geteuid() != 0 && getuid() != 0 && getgid() != 0 ? 0 : 1;
}

static void
test_status(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(try(own_status, false), FINE);
}

/* A file that root made becomes the account's, and can be opened again. */
static int
open_again(void)
{
	struct stat s;
	return stat(inside_file, &s) == 0 && s.st_uid == geteuid() ? open_as(inside_file, O_WRONLY) : 1;
}

static void
test_given(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	int fd = open(inside_file, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(try(open_again, false), FINE);
	unlink(inside_file);
}

static void
test_calls(void **state)
{
	static deed_fn *const good[] = {webhook_socket, start_thread, read_system};
	static deed_fn *const bad[] = {execute, packet_socket, offer_service, become_root, mount_something, load_program,
	        raise_limit,
#ifndef __SANITIZE_ADDRESS__
	        trace, fork_child,
#endif
	};
	(void)state;
	for (int everything = 0; everything < 2; everything++) {
		for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
			assert_int_equal(try(good[i], everything), FINE);
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
			assert_int_equal(try(bad[i], everything), -SIGSYS);
	}
}

static void
test_files(void **state)
{
	(void)state;
	if (syscall(444 /* landlock_create_ruleset, everywhere */, NULL, 0, 1) < 1)
		skip();
	assert_int_equal(try(write_inside, false), FINE);
	assert_int_equal(try(read_inside, false), FINE);
	assert_int_equal(try(rename_inside, false), FINE);
	assert_int_equal(try(write_outside, false), EACCES);
	assert_int_equal(try(read_outside, false), EACCES);
	assert_int_equal(try(unlink_outside, false), EACCES);
	/* A replay reads what it may. */
	assert_int_equal(try(read_outside, true), FINE);
	assert_int_equal(try(write_outside, true), EACCES);
	assert_int_equal(try(unlink_outside, true), EACCES);
	assert_int_equal(try(write_inside, true), FINE);
}

static void
test_refused(void **state)
{
	const struct priv_conf unknown = {.user = "no-such-account"};
	char error[256] = "";
	(void)state;
	assert_int_equal(priv_become(&unknown, on_note, NULL, error, sizeof error), -1);
	assert_non_null(strstr(error, "no-such-account"));

	/* With another thread it would hold for one of them only. */
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, wait_long, NULL), 0);
	const struct priv_conf any = {0};
	assert_int_equal(priv_drop(&any, on_note, NULL, error, sizeof error), -1);
	assert_non_null(strstr(error, "threads"));
	pthread_cancel(t);
	pthread_join(t, NULL);
}

/* Two folders that everybody may write to: what refuses is the sandbox. */
static int
make_folders(void **state)
{
	(void)state;
	strcpy(inside, "/tmp/waybill-priv-in-XXXXXX");
	strcpy(outside, "/tmp/waybill-priv-out-XXXXXX");
	if (mkdtemp(inside) == NULL || mkdtemp(outside) == NULL || chmod(inside, 0777) < 0 || chmod(outside, 0777) < 0)
		return -1;
	snprintf(inside_file, sizeof inside_file, "%s/events", inside);
	snprintf(outside_file, sizeof outside_file, "%s/secret", outside);
	int fd = open(outside_file, O_CREAT | O_WRONLY, 0666);
	return fd >= 0 && fchmod(fd, 0666) == 0 ? close(fd) : -1;
}

static int
remove_folders(void **state)
{
	char renamed[128];
	(void)state;
	snprintf(renamed, sizeof renamed, "%s.1", inside_file);
	unlink(renamed);
	unlink(inside_file);
	unlink(outside_file);
	rmdir(inside);
	rmdir(outside);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_status),
	        cmocka_unit_test(test_given),
	        cmocka_unit_test(test_calls),
	        cmocka_unit_test(test_files),
	        cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
