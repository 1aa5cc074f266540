/*
 * The system calls that waybill and the libraries in it make once everything is open. Any other one ends the process at
 * once (SIGSYS). Not among them, on purpose: starting programs, new processes, tracing, mounts, modules, keys, BPF,
 * io_uring, sockets that hear a network (they are open by now) or offer a service to it.
 */
#include "config.h"

#include "priv.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* With whatever arguments. Those that this machine's kernel never had are passed over. */
static const char *const calls[] = {
	/* files and folders */
	"read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "lseek",
	"_llseek", "open", "openat", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "stat", "stat64",
	"lstat", "lstat64", "fstat", "fstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs",
	"fstatfs64", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd",
	"fsync", "fdatasync", "sync_file_range", "truncate", "truncate64", "ftruncate", "ftruncate64", "fallocate",
	"fadvise64", "fadvise64_64", "readahead", "flock", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
	"unlinkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "fchown", "fchown32", "umask", "utimensat",
	"pipe", "pipe2", "sendfile", "sendfile64", "copy_file_range", "inotify_init1", "inotify_add_watch",
	"inotify_rm_watch",
	/* waiting */
	"select", "_newselect", "pselect6", "poll", "ppoll", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime", "signalfd4", "nanosleep",
	"clock_nanosleep", "restart_syscall",
	/* sockets */
	"socketpair", "connect", "bind", "accept", "accept4", "getsockname", "getpeername", "getsockopt", "setsockopt",
	"sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "shutdown", "send", "recv",
	/* memory */
	"mmap", "mmap2", "munmap", "mremap", "mprotect", "memfd_create", "madvise", "mincore", "msync", "brk", "membarrier",
	/* threads and signals of this process */
	"futex", "futex_time64", "futex_waitv", "set_robust_list", "get_robust_list", "rseq", "set_tid_address",
	"arch_prctl", "exit", "exit_group", "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"setpriority", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigtimedwait", "rt_sigpending", "sigaltstack",
	/* who, when, how much */
	"getpid", "getppid", "gettid", "getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid",
	"getegid32", "getresuid", "getresgid", "getgroups", "getcpu", "getrandom", "getrlimit", "ugetrlimit", "getrusage",
	"sysinfo", "uname", "times", "time", "gettimeofday", "clock_gettime", "clock_gettime64", "clock_getres", "capget",
};

/* With these arguments only: by the words' low 32 bits. */
struct argument {
	const char *call;
	unsigned index;
	uint32_t mask, value;
};
static const struct argument arguments[] = {
	{"socket", 0, UINT32_MAX, AF_UNIX},
	{"socket", 0, UINT32_MAX, AF_INET},
	{"socket", 0, UINT32_MAX, AF_INET6},
	{"socket", 0, UINT32_MAX, AF_NETLINK},
	{"clone", 0, CLONE_THREAD, CLONE_THREAD},
	{"prctl", 0, UINT32_MAX, PR_SET_NAME},
	{"prctl", 0, UINT32_MAX, PR_GET_NAME},
	{"prctl", 0, UINT32_MAX, 0x53564d41}, /* PR_SET_VMA: the C library names its memory */
	{"ioctl", 1, UINT32_MAX, TCGETS},
	{"ioctl", 1, UINT32_MAX, TIOCGWINSZ},
	{"ioctl", 1, UINT32_MAX, FIONREAD},
	{"ioctl", 1, UINT32_MAX, FIONBIO},
	{"ioctl", 1, UINT32_MAX, SIOCGIFINDEX},
	{"ioctl", 1, UINT32_MAX, SIOCGIFNAME},
	{"ioctl", 1, UINT32_MAX, SIOCGIFHWADDR},
	{"ioctl", 1, UINT32_MAX, SIOCGIFFLAGS},
	{"ioctl", 1, UINT32_MAX, SIOCGIFMTU},
	{"ioctl", 1, UINT32_MAX, SIOCETHTOOL},
};

#ifdef __SANITIZE_ADDRESS__
/* The leak checker looks at the process from a second one. */
static const char *const sanitizer_calls[] = {"clone", "ptrace", "wait4", "prctl", "kill", "tkill", "personality"};
enum { SANITIZER_CALLS = COUNT(sanitizer_calls) };
#else
static const char *const sanitizer_calls[1];
enum { SANITIZER_CALLS = 0 };
#endif

static int fill(scmp_filter_ctx filter);
static int allow(scmp_filter_ctx filter, const char *const *names, size_t count);
static int allow_arguments(scmp_filter_ctx filter);
static int allow_own(scmp_filter_ctx filter);

int
priv_limit_calls(priv_note_fn *note, void *ctx, char *error, size_t size)
{
	char text[256];
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL) { /* out of memory, if the kernel can end a process for a call at all (Linux 4.14) */
		note(ctx, "system calls are not limited: the kernel has no seccomp filters");
		return 0;
	}
	int why = fill(filter);
	if (why < 0) {
		snprintf(error, size, "system calls cannot be limited: %s", strerror(-why));
		seccomp_release(filter);
		return -1;
	}
	why = seccomp_load(filter);
	seccomp_release(filter);
	if (why < 0) {
		snprintf(text, sizeof text, "system calls are not limited: the kernel has no seccomp filters (%s)", strerror(-why));
		note(ctx, text);
	}
	return 0;
}

static int
fill(scmp_filter_ctx filter)
{
	/*
	 * A filter costs each call a walk through it, as a tree rather than a list; and, where not told otherwise, the whole
	 * process the CPU's speculation past stores (older kernels), which packets would pay for.
	 */
	int why = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (why == 0 || why == -EOPNOTSUPP)
		why = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	if (why == 0 || why == -EOPNOTSUPP)
		why = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (why == 0)
		why = allow(filter, calls, COUNT(calls));
	if (why == 0)
		why = allow(filter, sanitizer_calls, SANITIZER_CALLS);
	if (why == 0)
		why = allow_arguments(filter);
	return why == 0 ? allow_own(filter) : why;
}

static int
allow(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	int why = 0;
	for (size_t i = 0; i < count && why == 0; i++) {
		const int number = seccomp_syscall_resolve_name(names[i]);
		if (number != __NR_SCMP_ERROR)
			why = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return why;
}

static int
allow_arguments(scmp_filter_ctx filter)
{
	int why = 0;
	for (size_t i = 0; i < COUNT(arguments) && why == 0; i++) {
		const struct argument *a = &arguments[i];
		why = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(a->call), 1,
		        SCMP_CMP(a->index, SCMP_CMP_MASKED_EQ, a->mask, a->value));
	}
	return why;
}

/* What depends on this process, and what is answered as by a kernel that has no such call. */
static int
allow_own(scmp_filter_ctx filter)
{
	/* abort() and raise(). */
	int why = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	        SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* Limits are asked for, not set. */
	if (why == 0)
		why = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
	/* Its flags can't be seen from here: the C library takes clone() then. */
	if (why == 0)
		why = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return why;
}
