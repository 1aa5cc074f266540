/*
 * Files that come in numbered parts: where a part belongs is known once all parts before it are there, or once the
 * sender says that these were all. Until then its bytes wait at a place of their own in the assembly, aside. Parts that
 * have names instead stand in the order in which the names are listed at the end; they are numbered as they come.
 */
#ifndef WAYBILL_TRANSFER_PARTS_H
#define WAYBILL_TRANSFER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/transfer.h"

struct waybill;
struct parts;

void parts_destroy(struct parts *p); /* takes NULL */

/* A part comes, perhaps again. Of more than there may be the bytes are lost, and with them the file's hash. */
void parts_add(struct waybill *w, uint32_t number);
/* The same for one with a name: its number. 0: there may be no more; its bytes are not the file's. */
uint32_t parts_add_named(struct waybill *w, const void *name, size_t len);
/* There are so many of them, numbered from 1 on: once each has its size, the file has. */
void parts_expect(struct waybill *w, uint32_t count);
/* So long is that part. */
void parts_size(struct waybill *w, uint32_t number, uint64_t size);
/* Bytes at an offset within the part. */
void parts_data(struct waybill *w, uint32_t number, uint64_t offset, const uint8_t *bytes, size_t len);
/* Bytes of the part that were not seen. */
void parts_skip(struct waybill *w, uint32_t number, uint64_t offset, uint64_t len);

/*
 * No more will come, and the file is made of those with these numbers, ascending; count 0: of all. Then the file's size
 * is known where that of each part is. given_up: nothing is made of them. False: there is one of which nothing was seen.
 */
bool parts_finish(struct waybill *w, const uint32_t *numbers, size_t count, bool given_up);
/* The same, of those with these names, in this order. */
bool parts_finish_named(struct waybill *w, const struct part_name *names, size_t count);
bool parts_finished(const struct waybill *w);

/* Before the file is told: what has no place is only counted. */
void parts_settle(struct waybill *w);

#endif
