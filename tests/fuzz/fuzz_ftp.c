/* An FTP control connection and its data connections. See proto_fuzz.h for the input. */
#include "config.h"

#include "proto_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Port 0: seen from the middle. */
	return size > 0 && (data[0] & 0x40) != 0 ? fuzz_run(data, size, 0) : fuzz_run(data, size, 21);
}
