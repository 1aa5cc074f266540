/* The socket that questions come in by: unix(7), ip(7). */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "web/web.h"

enum { WAITING_MAX = 16 };

union name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static int make_name(const struct web_conf *conf, union name *out, socklen_t *len);
static int clear_path(const union name *name, socklen_t len);
static int bind_to(int fd, const union name *name, socklen_t len);

int
web_listen(const struct web_conf *conf, char *error, size_t size)
{
	char where[ADDR_TEXT_MAX];
	const char *text = conf->path != NULL ? conf->path : addr_format(&conf->addr, where);
	union name name;
	socklen_t len;
	int fd = -1;
	if (make_name(conf, &name, &len) < 0) {
		snprintf(error, size, "metrics.listen: %s: the path of a socket may not be so long", text);
		return -1;
	}
	if (conf->path == NULL || clear_path(&name, len) == 0)
		fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind_to(fd, &name, len) == 0 && listen(fd, WAITING_MAX) == 0)
		return fd;
	const int why = errno;
	if (conf->path != NULL)
		snprintf(error, size, "metrics.listen: %s: %s", text, strerror(why));
	else
		snprintf(error, size, "metrics.listen: %s port %u: %s", text, conf->port, strerror(why));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
make_name(const struct web_conf *conf, union name *out, socklen_t *len)
{
	memset(out, 0, sizeof *out);
	if (conf->path != NULL) {
		if (strlen(conf->path) >= sizeof out->local.sun_path)
			return -1;
		out->local.sun_family = AF_UNIX;
		strcpy(out->local.sun_path, conf->path);
		*len = sizeof out->local;
	} else if (addr_is_v4(&conf->addr)) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(conf->port);
		memcpy(&out->v4.sin_addr, conf->addr.bytes + 12, 4);
		*len = sizeof out->v4;
	} else {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(conf->port);
		memcpy(&out->v6.sin6_addr, conf->addr.bytes, 16);
		*len = sizeof out->v6;
	}
	return 0;
}

/* A socket that nobody listens on any more goes; anything else of that name stays, and is in the way. */
static int
clear_path(const union name *name, socklen_t len)
{
	struct stat s;
	if (lstat(name->local.sun_path, &s) < 0)
		return errno == ENOENT ? 0 : -1;
	errno = EEXIST;
	if (!S_ISSOCK(s.st_mode))
		return -1;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	const int status = connect(fd, &name->any, len);
	const int why = errno;
	close(fd);
	if (status < 0 && why == ECONNREFUSED)
		return unlink(name->local.sun_path);
	errno = status == 0 || why == EAGAIN ? EADDRINUSE : why;
	return -1;
}

/* A Unix socket is for its owner and group. */
static int
bind_to(int fd, const union name *name, socklen_t len)
{
	const int yes = 1;
	if (name->any.sa_family != AF_UNIX) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes); /* else a restart has to wait for old connections */
		return bind(fd, &name->any, len);
	}
	const mode_t before = umask(0117);
	const int status = bind(fd, &name->any, len);
	umask(before);
	return status;
}
