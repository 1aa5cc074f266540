/*
 * landlock(7): of all files those below some folders only. The kernel's interface is asked directly, for there is no
 * library; rights that a kernel does not know yet (ABI 1 is Linux 5.13's) are left out of the question.
 */
#include "config.h"

#include "priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint64_t to_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
/* What there is to be done to files; devices and the like are never made. */
static const uint64_t to_write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
        LANDLOCK_ACCESS_FS_MAKE_SOCK;
static const uint64_t never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO |
        LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
enum { REFER = 1 << 13, TRUNCATE = 1 << 14 }; /* since ABI 2 and 3; older headers don't name them */

/*
 * What the libraries read: themselves and each other, names of hosts and services, certificates, character sets, the
 * time zone, counters of interfaces.
 */
static const char *const system_files[] = {
	"/usr", "/lib", "/lib64", "/etc", "/sys/class/net", "/sys/devices", "/proc/self", "/dev/urandom", "/dev/null",
};

struct ruleset {
	int fd;
	uint64_t handled;
};

static uint64_t known_rights(int abi);
static int add_path(const struct ruleset *r, const char *path, uint64_t rights);
static int add_place(const struct ruleset *r, const char *path, uint64_t rights);
static int add_folder_of(const struct ruleset *r, const char *path, uint64_t rights);
static int add_all(const struct ruleset *r, const struct priv_conf *conf);

int
priv_limit_files(const struct priv_conf *conf, priv_note_fn *note, void *ctx, char *error, size_t size)
{
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1) {
		note(ctx, "access to files is not limited: the kernel has no Landlock, or it is switched off");
		return 0;
	}
	struct ruleset r = {.handled = known_rights((int)abi)};
	if (conf->reads_everything)
		r.handled &= ~to_read;
	const struct landlock_ruleset_attr attr = {.handled_access_fs = r.handled};
	r.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0);
	int result = r.fd >= 0 ? add_all(&r, conf) : -1;
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, r.fd, 0);
	if (result < 0)
		snprintf(error, size, "access to files cannot be limited: %s", strerror(errno));
	if (r.fd >= 0)
		close(r.fd);
	return result;
}

static uint64_t
known_rights(int abi)
{
	uint64_t rights = to_read | to_write | never;
	if (abi >= 2)
		rights |= REFER;
	if (abi >= 3)
		rights |= TRUNCATE;
	return rights;
}

static int
add_all(const struct ruleset *r, const struct priv_conf *conf)
{
	for (size_t i = 0; i < COUNT(system_files) && !conf->reads_everything; i++)
		if (add_path(r, system_files[i], to_read) < 0)
			return -1;
	/* It is often a link to a file of whoever manages the network. */
	if (!conf->reads_everything && add_folder_of(r, "/etc/resolv.conf", to_read) < 0)
		return -1;
	if (add_path(r, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE) < 0)
		return -1;
	for (size_t i = 0; i < conf->read_count && !conf->reads_everything; i++)
		if (add_place(r, conf->reads[i], to_read) < 0)
			return -1;
	for (size_t i = 0; i < conf->write_count; i++)
		if (add_place(r, conf->writes[i], to_read | to_write | TRUNCATE) < 0)
			return -1;
	return 0;
}

/* A folder; the folder that a file is, or will be, in, and the one that a link to it leads to; or a device. */
static int
add_place(const struct ruleset *r, const char *path, uint64_t rights)
{
	char text[PATH_MAX];
	struct stat s;
	if (stat(path, &s) == 0 && !S_ISREG(s.st_mode) && !S_ISSOCK(s.st_mode))
		return add_path(r, path, rights);
	if (snprintf(text, sizeof text, "%s", path) >= (int)sizeof text)
		return 0;
	char *slash = strrchr(text, '/');
	if (slash == NULL)
		strcpy(text, ".");
	else
		slash[slash == text ? 1 : 0] = '\0';
	if (add_path(r, text, rights) < 0)
		return -1;
	return add_folder_of(r, path, rights);
}

/* The folder of the file that path leads to in the end. */
static int
add_folder_of(const struct ruleset *r, const char *path, uint64_t rights)
{
	char text[PATH_MAX];
	if (realpath(path, text) == NULL)
		return 0;
	char *slash = strrchr(text, '/');
	slash[slash == text ? 1 : 0] = '\0';
	return add_path(r, text, rights);
}

/* path and what is below it. One that is not there is passed over: it could not be used either. */
static int
add_path(const struct ruleset *r, const char *path, uint64_t rights)
{
	const uint64_t of_files = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
	        TRUNCATE;
	struct stat s;
	struct landlock_path_beneath_attr rule = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
	if (rule.parent_fd < 0)
		return 0;
	if (fstat(rule.parent_fd, &s) == 0 && !S_ISDIR(s.st_mode))
		rights &= of_files;
	rule.allowed_access = rights & r->handled;
	int result = 0;
	if (rule.allowed_access != 0)
		result = (int)syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	const int why = errno;
	close(rule.parent_fd);
	errno = why;
	return result;
}
