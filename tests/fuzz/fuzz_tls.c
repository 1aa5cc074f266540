/* A TLS conversation. See proto_fuzz.h for the input. */
#include "config.h"

#include "proto_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_run(data, size, 443);
}
