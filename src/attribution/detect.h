/* Databases that other software keeps in the usual places: geoipupdate, DB-IP and IPinfo downloads. */
#ifndef WAYBILL_ATTRIBUTION_DETECT_H
#define WAYBILL_ATTRIBUTION_DETECT_H

#include <stddef.h>

#include "base/arena.h"

enum { DETECT_MAX = 16 };

/*
 * Paths in arena memory, the one to be believed first: GeoIP2, GeoLite2, DB-IP, IPinfo; of dated copies the newest;
 * a large city database only where its maker's country database is missing. root goes before every
 * directory ("" for the real ones). How many.
 */
size_t detect_databases(const char *root, struct arena *arena, const char *path[DETECT_MAX]);

#endif
