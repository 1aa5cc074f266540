#include "config.h"

#include "conf_metrics.h"

#include <string.h>

#include "base/text.h"

enum { ADDRESS_MAX = 64 };

static void read_listen(struct conf_reading *r, const char *text, struct web_conf *out);
static int read_address(const char *text, struct addr *addr, uint16_t *port);
static bool is_loopback(const struct addr *a);

void
conf_metrics(struct conf_reading *r, const struct file_metrics *f, struct web_conf *out)
{
	if (f == NULL)
		return;
	conf_section(r, "metrics");
	if (f->listen != NULL && strcmp(f->listen, "none") != 0)
		read_listen(r, f->listen, out);
	conf_time_or_never(r, "silence", f->silence, CLOCK_SECOND, &out->silence);
	conf_time_or_never(r, "database_age", f->database_age, CLOCK_SECOND, &out->database_age);
}

static void
read_listen(struct conf_reading *r, const char *text, struct web_conf *out)
{
	static const char local[] = "unix:";
	char shown[2 * ADDRESS_MAX];
	if (strncmp(text, local, strlen(local)) == 0 && text[strlen(local)] != '\0')
		conf_path(r, "listen", text + strlen(local), &out->path);
	else if (read_address(text, &out->addr, &out->port) < 0)
		conf_refuse(r, "listen", "'%s' is not an address and a port such as 127.0.0.1:9477 or [::1]:9477, a socket such as "
		        "unix:/run/waybill/metrics.sock, or none", text_escape(shown, sizeof shown, text, strlen(text)));
	else if (!is_loopback(&out->addr))
		conf_refuse(r, "listen", "'%s' is not a loopback address (127.0.0.0/8 or ::1): who asks is not authenticated",
		        text_escape(shown, sizeof shown, text, strlen(text)));
}

/* "192.0.2.1:80" or "[2001:db8::1]:80": 0, or -1. */
static int
read_address(const char *text, struct addr *addr, uint16_t *port)
{
	char host[ADDRESS_MAX];
	uint64_t number;
	const char *colon = strrchr(text, ':');
	if (colon == NULL || text_to_u64(colon + 1, strlen(colon + 1), &number) < 0 || number == 0 || number > UINT16_MAX)
		return -1;
	const char *begin = text, *end = colon;
	const bool v6 = *text == '[' && end > text + 1 && end[-1] == ']';
	if (v6) {
		begin++;
		end--;
	}
	if ((size_t)(end - begin) >= sizeof host)
		return -1;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	*port = (uint16_t)number;
	return addr_parse(host, addr) == 0 && (strchr(host, ':') != NULL) == v6 ? 0 : -1;
}

static bool
is_loopback(const struct addr *a)
{
	static const struct addr six = {{[15] = 1}};
	return addr_is_v4(a) ? a->bytes[12] == 127 : addr_compare(a, &six) == 0;
}
