#include "config.h"

#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

static size_t whole_pages(size_t size);

void *
pages_take(size_t size)
{
	const size_t wanted = whole_pages(size);
	uint8_t *all = mmap(NULL, wanted + PAGES_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return NULL;
	const size_t before = (PAGES_HUGE - (uintptr_t)all % PAGES_HUGE) % PAGES_HUGE;
	uint8_t *memory = all + before;
	if (before > 0)
		(void)munmap(all, before);
	(void)munmap(memory + wanted, PAGES_HUGE - before);
	(void)madvise(memory, wanted, MADV_HUGEPAGE);
	return memory;
}

void
pages_give(void *memory, size_t size)
{
	if (memory != NULL)
		(void)munmap(memory, whole_pages(size));
}

static size_t
whole_pages(size_t size)
{
	return (size + PAGES_HUGE - 1) / PAGES_HUGE * PAGES_HUGE;
}
