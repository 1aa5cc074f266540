/*
 * A conversation of the protocol that WAYBILL_PROTO names ("tls"), or of any TCP protocol, over the real transfer stage.
 * See proto_fuzz.h for the input; corpus/NAME holds seeds.
 */
#include "config.h"

#include "proto_fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static uint16_t port;
static uint8_t transport = IPPROTO_TCP;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("WAYBILL_PROTO");
	(void)argc;
	(void)argv;
	if (name == NULL)
		return 0;
	for (size_t i = 0; protos[i] != NULL; i++)
		if (strcmp(protos[i]->name, name) == 0) {
			port = protos[i]->ports[0];
			transport = protos[i]->transport;
			if (getenv("WAYBILL_TRANSPORT") == NULL || atoi(getenv("WAYBILL_TRANSPORT")) == transport)
				return 0;
		}
	fprintf(stderr, "no such protocol: %s\n", name);
	exit(2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Port 0: seen from the middle. */
	return fuzz_run(data, size, transport, size > 0 && (data[0] & 0x40) != 0 ? 0 : port);
}
