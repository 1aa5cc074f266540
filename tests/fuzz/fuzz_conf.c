/* Any text as a configuration: loaded, or refused with a sentence that names it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[256] = "";
	struct conf c;

	if (conf_load_text("waybill.yaml", data, size, &c, error, sizeof error) == 0)
		conf_free(&c);
	else if (strncmp(error, "waybill.yaml:", 13) != 0 || c.owner != NULL)
		abort();
	return 0;
}
