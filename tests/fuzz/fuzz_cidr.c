#include "config.h"

#include "list_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	fuzz_list(LIST_CIDR, bytes, len);
	return 0;
}
