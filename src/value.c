#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "value.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{"", 1},
	{"B", 1},
	{"kB", 1000},
	{"KB", 1000},
	{"MB", 1000000},
	{"GB", 1000000000},
	{"TB", UINT64_C(1000000000000)},
	{"KiB", UINT64_C(1) << 10},
	{"MiB", UINT64_C(1) << 20},
	{"GiB", UINT64_C(1) << 30},
	{"TiB", UINT64_C(1) << 40},
	{NULL, 0},
};

static const struct unit time_units[] = {
	{"ms", (uint64_t)CLOCK_MILLISECOND},
	{"s", (uint64_t)CLOCK_SECOND},
	{"m", 60 * (uint64_t)CLOCK_SECOND},
	{"h", 3600 * (uint64_t)CLOCK_SECOND},
	{"d", 86400 * (uint64_t)CLOCK_SECOND},
	{NULL, 0},
};

static int quantity(const char *text, const struct unit *units, uint64_t most, uint64_t *out);
static bool is_host_byte(unsigned char c);

int
value_size(const char *text, uint64_t *out)
{
	return quantity(text, size_units, UINT64_MAX, out);
}

int
value_duration(const char *text, int64_t *out)
{
	uint64_t ns;
	if (quantity(text, time_units, INT64_MAX, &ns) != 0)
		return -1;
	*out = (int64_t)ns;
	return 0;
}

int
value_bool(const char *text, bool *out)
{
	static const char *const words[2][3] = {{"no", "false", "off"}, {"yes", "true", "on"}};

	for (size_t meaning = 0; meaning < 2; meaning++) {
		for (size_t i = 0; i < 3; i++) {
			if (strcmp(text, words[meaning][i]) == 0) {
				*out = meaning == 1;
				return 0;
			}
		}
	}
	return -1;
}

bool
value_is_url(const char *text, const char *const *schemes)
{
	const char *host = strstr(text, "://");
	if (host == NULL)
		return false;
	size_t scheme_len = (size_t)(host - text);
	while (*schemes != NULL && (strlen(*schemes) != scheme_len || memcmp(text, *schemes, scheme_len) != 0))
		schemes++;
	if (*schemes == NULL)
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return false;
	}

	/* The authority: user@host:port, of which only the host must be there. */
	host += strlen("://");
	size_t len = strcspn(host, "/?#");
	const char *at = memchr(host, '@', len);
	if (at != NULL) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	return len > 0 && (host[0] == '[' || is_host_byte((unsigned char)host[0]));
}

/* digits and a unit, at most most after multiplication. */
static int
quantity(const char *text, const struct unit *units, uint64_t most, uint64_t *out)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t count;

	if (text_to_u64(text, digits, &count) != 0)
		return -1;
	for (; units->name != NULL; units++) {
		if (strcmp(text + digits, units->name) == 0) {
			if (count > most / units->factor)
				return -1;
			*out = count * units->factor;
			return 0;
		}
	}
	return -1;
}

static bool
is_host_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
