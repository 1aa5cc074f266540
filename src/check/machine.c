#include "config.h"

#include "check/machine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <linux/capability.h>

#include "lanes.h"

static const size_t program_bytes = 40 * 1000 * 1000; /* with databases and lists: doc/performance.md */
static const size_t least_memory = 64 * 1000 * 1000;  /* that limits.memory takes */
static const double little_room = 1e9;                /* bytes on a disk */

static void check_memory(struct findings *f, const struct conf *conf, size_t interfaces, unsigned lanes);
static void check_rights(struct findings *f, size_t interfaces);
static bool has_capability(unsigned capability);
static void check_clock(struct findings *f);
static void check_place(struct findings *f, const char *what, const char *path, bool makes_folders);
static void parent_of(char *path);
static void tighten(const char *base, const char *group, const char *file, size_t *least);

void
machine_check(struct findings *f, const struct conf *conf, size_t interfaces, unsigned lanes)
{
	check_memory(f, conf, interfaces, lanes);
	check_rights(f, interfaces);
	check_clock(f);
	if (conf->output.events_path != NULL && strcmp(conf->output.events_path, "-") != 0)
		check_place(f, "events", conf->output.events_path, false);
	if (conf->output.webhook_count > 0)
		check_place(f, "spool", conf->output.spool_path, true);
}

size_t
machine_need(const struct conf *c)
{
	return program_bytes + (c->flow.memory > 0 ? c->flow.memory : FLOW_MEMORY_DEFAULT) +
	       (c->stream.memory > 0 ? c->stream.memory : STREAM_MEMORY_DEFAULT) +
	       (c->transfer.memory > 0 ? c->transfer.memory : TRANSFER_MEMORY_DEFAULT) +
	       (c->decode.fragment_memory > 0 ? c->decode.fragment_memory : FRAGMENT_MEMORY_DEFAULT);
}

static void
check_memory(struct findings *f, const struct conf *conf, size_t interfaces, unsigned lanes)
{
	const size_t rings = interfaces * lanes * lanes_ring(conf, lanes);
	const size_t machine = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
	const size_t group = machine_cgroup_limit("/proc/self/cgroup", "/sys/fs/cgroup");
	const size_t room = group < machine ? group : machine;
	const size_t need = machine_need(conf);
	char text[4][FINDINGS_SIZE_MAX], fix[64];
	findings_size((double)need, text[0]);
	findings_size((double)rings, text[1]);
	findings_size((double)machine, text[2]);
	findings_size((double)group, text[3]);
	findings_say(f, FINDING_OK, "memory", NULL, "up to %s by the limits, and %s for rings of interfaces; the machine has %s%s%s",
	        text[0], text[1], text[2], group < machine ? ", its control group allows " : "", group < machine ? text[3] : "");
	if (need <= room && rings <= room - need)
		return;
	const size_t fits = rings < room ? (room - rings) / 4 * 3 : 0;
	snprintf(fix, sizeof fix, "limits: {memory: %zuMB} in the configuration", fits / 1000000);
	findings_say(f, FINDING_WARNING, "memory", fits >= least_memory ? fix : NULL,
	        "that is more than there is: under load the kernel would end waybill");
}

static void
check_rights(struct findings *f, size_t interfaces)
{
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	const int reason = errno;
	const bool raw = has_capability(CAP_NET_RAW);
	if (fd >= 0)
		close(fd);
	if (fd >= 0)
		findings_say(f, FINDING_OK, "rights", NULL, "user %u %s CAP_NET_RAW: interfaces can be watched", (unsigned)geteuid(),
		        raw ? "with" : "without");
	else
		findings_say(f, interfaces > 0 ? FINDING_PROBLEM : FINDING_NOTE, "rights", NULL,
		        "user %u %s CAP_NET_RAW: interfaces can't be watched (%s); that takes root or this capability", (unsigned)geteuid(),
		        raw ? "with" : "without", strerror(reason));
}

static bool
has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	return syscall(SYS_capget, &header, data) == 0 && (data[capability / 32].effective >> capability % 32 & 1) != 0;
}

/* adjtimex(2), asking only. */
static void
check_clock(struct findings *f)
{
	struct timex t = {0};
	const int state = adjtimex(&t);
	if (state < 0)
		findings_say(f, FINDING_NOTE, "clock", NULL, "whether it is synchronised can't be asked: %s", strerror(errno));
	else if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		findings_say(f, FINDING_WARNING, "clock", NULL,
		        "it is not synchronised: times in events are evidence; run chrony or systemd-timesyncd");
	else
		findings_say(f, FINDING_OK, "clock", NULL, "synchronised, off by %.0f ms at most", (double)t.maxerror / 1e3);
}

/* Can a file at path be written by this user, and is there room? */
static void
check_place(struct findings *f, const char *what, const char *path, bool makes_folders)
{
	char at[PATH_MAX], size[FINDINGS_SIZE_MAX];
	struct statvfs disk;
	snprintf(at, sizeof at, "%s", path);
	bool there = access(at, F_OK) == 0;
	for (bool folder = true; !there && folder; folder = makes_folders && strcmp(at, "/") != 0) {
		parent_of(at);
		there = access(at, F_OK) == 0;
	}
	if (!there || access(at, W_OK) != 0 || statvfs(at, &disk) != 0) {
		findings_say(f, FINDING_PROBLEM, what, NULL, "%s: user %u can't write there: %s%s%s", path, (unsigned)geteuid(),
		        strcmp(at, path) != 0 ? at : "", strcmp(at, path) != 0 ? ": " : "", strerror(errno));
		return;
	}
	const double room = (double)disk.f_bavail * (double)disk.f_frsize;
	findings_say(f, room < little_room ? FINDING_WARNING : FINDING_OK, what, NULL, "%s: can be written, %s free there", path,
	        findings_size(room, size));
}

/* In place; a relative path ends at ".". */
static void
parent_of(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		strcpy(path, ".");
	else if (slash == path)
		path[1] = '\0';
	else
		*slash = '\0';
}

/* cgroups(7): lines "0::/group" for version 2, "4:memory:/group" for version 1. */
size_t
machine_cgroup_limit(const char *cgroup_file, const char *root)
{
	char line[PATH_MAX], base[PATH_MAX];
	size_t least = SIZE_MAX;
	FILE *file = fopen(cgroup_file, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		char *controllers = strchr(line, ':');
		char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
		if (group == NULL)
			continue;
		*group++ = '\0';
		if (strcmp(controllers, ":") == 0) {
			tighten(root, group, "memory.max", &least);
		} else if (strcmp(controllers, ":memory") == 0) {
			snprintf(base, sizeof base, "%s/memory", root);
			tighten(base, group, "memory.limit_in_bytes", &least);
		}
	}
	if (file != NULL)
		fclose(file);
	return least;
}

/* A limit holds for all groups below: from group up to base. "max", and what no machine has, are none. */
static void
tighten(const char *base, const char *group, const char *file, size_t *least)
{
	char at[PATH_MAX], path[PATH_MAX * 2], text[32];
	snprintf(at, sizeof at, "%s", group);
	for (bool more = true; more;) {
		more = strlen(at) > 1;
		snprintf(path, sizeof path, "%s%s/%s", base, at, file);
		FILE *f = fopen(path, "re");
		if (f != NULL && fgets(text, sizeof text, f) != NULL && text[0] >= '0' && text[0] <= '9') {
			const unsigned long long limit = strtoull(text, NULL, 10);
			if (limit < *least && limit < UINT64_C(1) << 60)
				*least = (size_t)limit;
		}
		if (f != NULL)
			fclose(f);
		parent_of(at);
	}
}
