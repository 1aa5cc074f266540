#include "config.h"

#include "priv.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char default_user[] = "waybill", fallback_user[] = "nobody";

static size_t count_threads(void);
static const struct passwd *choose_account(const struct priv_conf *conf, priv_note_fn *note, void *ctx, char *error,
        size_t size);
static int switch_account(const struct passwd *account);
static void give_files(const struct priv_conf *conf, const struct passwd *to);
static void give_socket(const char *path, const struct passwd *to);
static void note_folders(const struct priv_conf *conf, const struct passwd *of, priv_note_fn *note, void *ctx);
static int empty_capabilities(const struct priv_conf *conf, capng_select_t sets);
static int refuse(char *error, size_t size, const char *what);

int
priv_drop(const struct priv_conf *conf, priv_note_fn *note, void *ctx, char *error, size_t size)
{
	if (count_threads() > 1) {
		snprintf(error, size, "privileges cannot be given up: other threads run already");
		return -1;
	}
	if (priv_become(conf, note, ctx, error, size) < 0)
		return -1;
	/* From here on nothing that is executed gains anything (and both filters ask for it). */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return refuse(error, size, "no_new_privs");
	if (priv_limit_files(conf, note, ctx, error, size) < 0)
		return -1;
	return priv_limit_calls(note, ctx, error, size);
}

/* 1 where /proc is not there to ask. */
static size_t
count_threads(void)
{
	size_t n = 0;
	DIR *tasks = opendir("/proc/self/task");
	if (tasks == NULL)
		return 1;
	for (const struct dirent *e = readdir(tasks); e != NULL; e = readdir(tasks))
		n += e->d_name[0] != '.';
	closedir(tasks);
	return n;
}

int
priv_become(const struct priv_conf *conf, priv_note_fn *note, void *ctx, char *error, size_t size)
{
	const struct passwd *account = NULL;
	char text[256];
	if (geteuid() == 0 && !conf->reads_everything) {
		account = choose_account(conf, note, ctx, error, size);
		if (account == NULL)
			return -1;
	} else if (conf->user != NULL && !conf->reads_everything) {
		account = getpwnam(conf->user);
		if (account == NULL || account->pw_uid != geteuid()) {
			snprintf(error, size, "only root can become user %s", conf->user);
			return -1;
		}
		account = NULL;
	}
	/* The bounding set can be emptied only by one who still has CAP_SETPCAP. */
	if (capng_get_caps_process() != 0)
		return refuse(error, size, "to ask which capabilities there are");
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) && empty_capabilities(conf, CAPNG_SELECT_BOUNDS) < 0)
		return refuse(error, size, "the capability bounding set");
	if (account != NULL)
		give_files(conf, account);
	if (account != NULL && switch_account(account) < 0) {
		/* As in a user namespace that maps nobody else. */
		if (conf->user != NULL) {
			snprintf(error, size, "cannot become user %s: %s", conf->user, strerror(errno));
			return -1;
		}
		snprintf(text, sizeof text, "it goes on as root, without root's capabilities: cannot become user %s: %s",
		        account->pw_name, strerror(errno));
		note(ctx, text);
	}
	if (empty_capabilities(conf, CAPNG_SELECT_CAPS) < 0)
		return refuse(error, size, "capabilities");
	if (account != NULL)
		note_folders(conf, account, note, ctx);
	return 0;
}

static const struct passwd *
choose_account(const struct priv_conf *conf, priv_note_fn *note, void *ctx, char *error, size_t size)
{
	const char *name = conf->user != NULL ? conf->user : default_user;
	const struct passwd *account = getpwnam(name);
	if (account == NULL && conf->user == NULL) {
		account = getpwnam(fallback_user);
		if (account != NULL)
			note(ctx, "there is no account \"waybill\": it goes on as nobody (user: names another one)");
	}
	if (account == NULL)
		snprintf(error, size, "there is no account \"%s\" to go on as", name);
	return account;
}

static int
switch_account(const struct passwd *account)
{
	const gid_t group = account->pw_gid;
	if (initgroups(account->pw_name, group) < 0 || setresgid(group, group, group) < 0)
		return -1;
	return setresuid(account->pw_uid, account->pw_uid, account->pw_uid);
}

/* What root made a moment ago belongs to whom it is written by from here on: else that one could not open it again. */
static void
give_files(const struct priv_conf *conf, const struct passwd *to)
{
	struct stat s;
	for (size_t i = 0; i < conf->write_count; i++) {
		const int fd = open(conf->writes[i], O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			give_socket(conf->writes[i], to);
			continue;
		}
		if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == 0 && s.st_nlink == 1)
			(void)!fchown(fd, to->pw_uid, to->pw_gid);
		close(fd);
	}
}

/* One that is bound to a path can be opened only as that. */
static void
give_socket(const char *path, const struct passwd *to)
{
	struct stat s;
	const int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &s) == 0 && S_ISSOCK(s.st_mode) && s.st_uid == 0)
		(void)!fchownat(fd, "", to->pw_uid, to->pw_gid, AT_EMPTY_PATH);
	close(fd);
}

/* Folders are not given away: others may have files there. */
static void
note_folders(const struct priv_conf *conf, const struct passwd *of, priv_note_fn *note, void *ctx)
{
	char folder[PATH_MAX], last[PATH_MAX] = "", text[PATH_MAX + 256];
	struct stat s;
	for (size_t i = 0; i < conf->write_count; i++) {
		if (stat(conf->writes[i], &s) == 0 && !S_ISREG(s.st_mode))
			continue;
		if (snprintf(folder, sizeof folder, "%s", conf->writes[i]) >= (int)sizeof folder)
			continue;
		char *slash = strrchr(folder, '/');
		if (slash == NULL)
			strcpy(folder, ".");
		else
			slash[slash == folder ? 1 : 0] = '\0';
		if (strcmp(folder, last) == 0)
			continue;
		strcpy(last, folder);
		if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
			continue;
		snprintf(text, sizeof text, "%s may not write to the folder of %s: it cannot be rotated or opened again",
		        of->pw_name, conf->writes[i]);
		note(ctx, text);
	}
}

/* The ambient set follows the permitted one. */
static int
empty_capabilities(const struct priv_conf *conf, capng_select_t sets)
{
	if (capng_get_caps_process() != 0)
		return -1;
	const bool reads = capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH);
	const bool writes = capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
	capng_clear(CAPNG_SELECT_BOTH);
	if (conf->reads_everything && reads)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_DAC_READ_SEARCH);
	if (conf->reads_everything && writes)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_DAC_OVERRIDE);
	return capng_apply(sets) == 0 ? 0 : -1;
}

static int
refuse(char *error, size_t size, const char *what)
{
	snprintf(error, size, "privileges cannot be given up: %s: %s", what, strerror(errno));
	return -1;
}
