/* What a sensor with its configuration goes on to read and write once everything is open, and nothing else (priv.h). */
#ifndef WAYBILL_CONFINE_H
#define WAYBILL_CONFINE_H

#include <stddef.h>

#include "conf.h"
#include "options.h"
#include "priv.h"

/* As priv_drop. Before any thread is started. */
int confine(const struct options *options, const struct conf *conf, priv_note_fn *note, void *ctx, char *error,
        size_t size);

#endif
