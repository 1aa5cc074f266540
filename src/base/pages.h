/*
 * Memory for large tables that are looked at anywhere: in huge pages, where the system has them, a look misses one cache
 * and not two. It begins at a huge page, is all zero, and takes room only where it is touched.
 */
#ifndef WAYBILL_BASE_PAGES_H
#define WAYBILL_BASE_PAGES_H

#include <stddef.h>

enum { PAGES_HUGE = 2 * 1024 * 1024 };

void *pages_take(size_t size); /* NULL: out of memory */
void pages_give(void *memory, size_t size); /* as it was taken; takes NULL */

#endif
