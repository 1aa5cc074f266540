#include "config.h"

#include "proto/bulk.h"

size_t
bulk_take(struct bulk *b, const uint8_t *bytes, size_t len)
{
	if (b->left == 0) {
		size_t n = len < b->rest ? len : (size_t)b->rest;
		b->rest -= n;
		return n;
	}
	size_t n = len < b->left ? len : (size_t)b->left;
	if (bytes != NULL) {
		transfer_data(b->transfer, b->at, bytes, n);
	} else {
		transfer_offset(b->transfer, b->at);
		transfer_skip(b->transfer, n);
	}
	b->at = n > UINT64_MAX - b->at ? UINT64_MAX : b->at + n;
	b->left -= n;
	return n;
}

bool
bulk_gap(struct bulk *b, uint64_t len)
{
	if (len > b->left + b->rest) {
		b->left = b->rest = 0;
		return false;
	}
	while (len > 0)
		len -= bulk_take(b, NULL, (size_t)len);
	return true;
}
