#include "config.h"

#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

struct notify {
	int fd;           /* connected */
	int64_t interval;
};

static int notify_connect(const char *name);
static int64_t watchdog_interval(void);
static void send_text(struct notify *n, const char *text);

struct notify *
notify_open(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct notify *n = name != NULL && (name[0] == '/' || name[0] == '@') ? calloc(1, sizeof *n) : NULL;
	if (n == NULL)
		return NULL;
	*n = (struct notify){.fd = notify_connect(name), .interval = watchdog_interval()};
	if (n->fd < 0) {
		free(n);
		return NULL;
	}
	return n;
}

void
notify_close(struct notify *n)
{
	if (n == NULL)
		return;
	close(n->fd);
	free(n);
}

/* "@": the name is in the abstract namespace (unix(7)). */
static int
notify_connect(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const size_t len = strlen(name);
	if (len >= sizeof to.sun_path)
		return -1;
	memcpy(to.sun_path, name, len);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* sd_watchdog_enabled(3): microseconds, meant for the process that WATCHDOG_PID names. */
static int64_t
watchdog_interval(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	if (us == NULL || (pid != NULL && strtol(pid, NULL, 10) != getpid()))
		return 0;
	const long long wait = strtoll(us, NULL, 10);
	return wait > 0 && wait < INT64_MAX / 1000 ? wait * 1000 / 2 : 0;
}

void
notify_ready(struct notify *n)
{
	send_text(n, "READY=1");
}

/* With the time, the manager can tell this reload's end from that of one before. */
void
notify_reloading(struct notify *n)
{
	char text[64];
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic() / 1000);
	send_text(n, text);
}

void
notify_stopping(struct notify *n)
{
	send_text(n, "STOPPING=1");
}

void
notify_status(struct notify *n, const char *sentence)
{
	char text[512];
	snprintf(text, sizeof text, "STATUS=%s", sentence);
	send_text(n, text);
}

void
notify_alive(struct notify *n)
{
	send_text(n, "WATCHDOG=1");
}

int64_t
notify_interval(const struct notify *n)
{
	return n != NULL ? n->interval : 0;
}

/* A manager that is gone, or has no room, is no reason to wait. */
static void
send_text(struct notify *n, const char *text)
{
	if (n != NULL)
		(void)!send(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}
