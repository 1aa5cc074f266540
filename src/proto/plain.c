#include "config.h"

#include "proto/plain.h"

void *
plain_open(struct session *s)
{
	return s;
}

void *
plain_open_encrypted(struct session *s)
{
	session_unreadable(s, "encrypted");
	return s;
}

enum verdict
plain_glance(struct glance *g)
{
	(void)g;
	return VERDICT_DONE;
}

enum verdict
plain_done(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	(void)state;
	(void)from;
	(void)bytes;
	(void)len;
	return VERDICT_DONE;
}

enum verdict
plain_more(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	(void)state;
	(void)from;
	(void)bytes;
	(void)len;
	return VERDICT_MORE;
}

enum verdict
plain_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_MORE;
}

void
plain_close(void *state, bool reset)
{
	(void)state;
	(void)reset;
}
