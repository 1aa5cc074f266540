/*
 * Lists, databases and configuration while waybill runs: when one of their files changes, or when asked, all is loaded anew
 * beside what is in use, by a thread of its own, and handed on where it is sound. A broken one is refused, told, and tried again
 * when a file changes again; what is in use stays.
 */
#ifndef WAYBILL_RELOAD_H
#define WAYBILL_RELOAD_H

#include "attribution/attribution.h"
#include "conf.h"
#include "loop.h"
#include "options.h"
#include "tell.h"

struct reload;

struct reload_ops {
	void (*begins)(void *ctx);
	/* a is to be handed to the pipeline; that it is in use is heard of by the tell. It stays the reload's. */
	void (*offers)(void *ctx, struct attribution *a);
	/* It is over: what came of it. Borrowed. */
	void (*ends)(void *ctx, const struct reload_record *r);
};

/*
 * conf and attribution are what is in use: conf as the command line left it and to outlive this, attribution this one's to
 * destroy from here on. tell is asked which attributions are still needed. NULL: out of memory.
 */
struct reload *reload_create(const struct options *options, const struct conf *conf, struct attribution *attribution,
        struct tell *tell, struct loop *loop, const struct reload_ops *ops, void *ctx);

/* All attributions go with it: after whatever refers to them. Takes NULL. */
void reload_destroy(struct reload *r);

/* Begins to look at the files. False: not all of them can be watched; reload_now works all the same. */
bool reload_watch(struct reload *r);

/* Reads everything again, after the reload that may be under way. */
void reload_now(struct reload *r);

/* No more of it: what is under way comes to nothing. Before what it offers to ends. */
void reload_stop(struct reload *r);

/* Frees attributions that nothing refers to any more. Cheap to call. */
void reload_sweep(struct reload *r);

#endif
