/*
 * A stand-in for the transfer stage that writes down what a protocol says. A test that
 * uses it links none of the real one, because all its functions are here.
 */
#ifndef WAYBILL_TESTS_RECORDER_H
#define WAYBILL_TESTS_RECORDER_H

#include "transfer/transfer.h"

/* A session that records. */
struct session *recorder_open(void);
void recorder_close(struct session *s);

/*
 * What was said, a line each: facts as "account bob", and transfers as they end:
 * "download GET /a.txt 200 complete: content". Unseen bytes stand as [number].
 */
const char *recorder_text(const struct session *s);

/* Transfers that were begun and neither ended nor discarded. */
unsigned recorder_open_transfers(const struct session *s);

#endif
