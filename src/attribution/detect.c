#include "config.h"

#include "attribution/detect.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "attribution/attribution.h"

static const char *const directories[] = {
	"/var/lib/GeoIP",       /* geoipupdate, Debian */
	"/usr/share/GeoIP",     /* geoipupdate, Red Hat and others */
	"/usr/local/share/GeoIP", /* geoipupdate, from source */
	"/usr/local/var/GeoIP", /* geoipupdate, Homebrew */
	"/opt/homebrew/var/GeoIP",
	"/opt/GeoIP",
	"/var/lib/dbip",
	"/usr/share/dbip",
	"/var/lib/ipinfo",
	"/usr/share/ipinfo",
};

/* What to look for, in this order; of each line the first pattern that any directory has. */
enum { PATTERNS_MAX = 3 };
static const char *const patterns[][PATTERNS_MAX] = {
	{"GeoIP2-Country.mmdb", "GeoIP2-City*.mmdb", "GeoIP2-Enterprise.mmdb"},
	{"GeoIP2-ISP.mmdb"},
	{"GeoIP2-Anonymous-IP.mmdb", "GeoIP-Anonymous-Plus.mmdb"},
	{"GeoLite2-Country*.mmdb", "GeoLite2-City*.mmdb"},
	{"GeoLite2-ASN*.mmdb"},
	{"dbip-country-[0-9]*.mmdb", "dbip-country-lite*.mmdb", "dbip-city-lite*.mmdb"},
	{"dbip-isp*.mmdb", "dbip-asn-lite*.mmdb", "dbip-asn*.mmdb"},
	{"ipinfo_lite*.mmdb", "country_asn*.mmdb", "ipinfo*.mmdb"},
};

static const char *find_first(const char *root, const char *const wanted[PATTERNS_MAX], struct arena *arena);
static const char *find_newest(const char *root, const char *directory, const char *pattern, struct arena *arena);

size_t
detect_databases(const char *root, struct arena *arena, const char *path[DETECT_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0] && count < DETECT_MAX; i++) {
		const char *found = find_first(root, patterns[i], arena);
		if (found != NULL)
			path[count++] = found;
	}
	return count;
}

const char *
attribution_usual_place(size_t index)
{
	return index < sizeof directories / sizeof directories[0] ? directories[index] : NULL;
}

static const char *
find_first(const char *root, const char *const wanted[PATTERNS_MAX], struct arena *arena)
{
	for (size_t p = 0; p < PATTERNS_MAX && wanted[p] != NULL; p++) {
		for (size_t d = 0; d < sizeof directories / sizeof directories[0]; d++) {
			const char *found = find_newest(root, directories[d], wanted[p], arena);
			if (found != NULL)
				return found;
		}
	}
	return NULL;
}

/* Dates in names sort as text: the last is the newest. */
static const char *
find_newest(const char *root, const char *directory, const char *pattern, struct arena *arena)
{
	const char *found = NULL;
	const char *full = arena_printf(arena, "%s%s/%s", root, directory, pattern);
	glob_t matches;
	if (full == NULL || glob(full, 0, NULL, &matches) != 0)
		return NULL;
	for (size_t i = matches.gl_pathc; i > 0 && found == NULL; i--) {
		if (access(matches.gl_pathv[i - 1], R_OK) == 0)
			found = arena_printf(arena, "%s", matches.gl_pathv[i - 1]);
	}
	globfree(&matches);
	return found;
}
