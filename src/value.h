/*
 * Values as people write them in a configuration: sizes, times, switches, addresses of services. The
 * whole text must match: nothing is guessed, trimmed or rounded.
 */
#ifndef WAYBILL_VALUE_H
#define WAYBILL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "4096", "64kB", "64MB", "1GB", "2TB" (powers of 1000), "64KiB", "64MiB" ... (of 1024). 0, or -1. */
int value_size(const char *text, uint64_t *out);

/* "500ms", "30s", "10m", "2h", "7d": nanoseconds. 0, or -1. */
int value_duration(const char *text, int64_t *out);

/* yes, true, on; no, false, off. 0, or -1. */
int value_bool(const char *text, bool *out);

/* An absolute URL with a host (RFC 3986) in one of schemes, which NULL ends ("https", NULL). */
bool value_is_url(const char *text, const char *const *schemes);

#endif
