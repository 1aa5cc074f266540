#include "config.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id);
static int parse_zone(const char *text, int64_t *offset);

int64_t
clock_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

const char *
clock_format(int64_t t, char text[CLOCK_TEXT_MAX])
{
	int64_t rest = t % CLOCK_SECOND;
	if (rest < 0)
		rest += CLOCK_SECOND;
	time_t seconds = (time_t)((t - rest) / CLOCK_SECOND);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t len = strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, CLOCK_TEXT_MAX - len, ".%06dZ", (int)(rest / 1000));
	return text;
}

int
clock_parse(const char *text, int64_t *out)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
	        "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m", "%Y"};
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm tm = {.tm_mday = 1};
		const char *end = strptime(text, forms[i], &tm);
		int64_t fraction = 0, zone = 0;
		if (end == NULL)
			continue;
		if (*end == '.' && i < 2) {
			int64_t unit = CLOCK_SECOND / 10;
			for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
				fraction += (*end - '0') * unit;
		}
		if (parse_zone(end, &zone) < 0)
			continue;
		time_t seconds = timegm(&tm);
		if (seconds > INT64_MAX / CLOCK_SECOND || seconds < INT64_MIN / CLOCK_SECOND)
			return -1;
		*out = ((int64_t)seconds - zone) * CLOCK_SECOND + fraction;
		return 0;
	}
	return -1;
}

static int64_t
read_clock(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

/* RFC 3339 section 5.6: Z or a numeric offset; none is UTC. *offset in seconds. */
static int
parse_zone(const char *text, int64_t *offset)
{
	int hours, minutes, used = 0;
	*offset = 0;
	if (*text == '\0' || strcmp(text, "Z") == 0)
		return 0;
	if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || text[1 + used] != '\0' ||
	        (*text != '+' && *text != '-') || hours > 23 || minutes > 59)
		return -1;
	*offset = (hours * 60 + minutes) * 60 * (*text == '-' ? -1 : 1);
	return 0;
}
