/*
 * Giving up what only the start needs: the account, capabilities(7), and, by seccomp(2) and landlock(7), every system call
 * and every file that waybill has no business with. What is open stays open.
 */
#ifndef WAYBILL_PRIV_H
#define WAYBILL_PRIV_H

#include <stdbool.h>
#include <stddef.h>

struct priv_conf {
	/* The account to become where root started it; NULL: "waybill", or "nobody" where there is no such account. */
	const char *user;
	/*
	 * A replay: it goes on as who started it, and reads whatever that one may read; of the capabilities the ones for
	 * that are kept. Only writing is limited.
	 */
	bool reads_everything;
	/* What is read later on, besides the system's own files. A file stands for its folder, in which it may be replaced. */
	const char *const *reads;
	size_t read_count;
	/* What is written later on, in the same way. A device stands for itself; files of root's become the account's. */
	const char *const *writes;
	size_t write_count;
};

/* A sentence about what is weaker than it should be. */
typedef void priv_note_fn(void *ctx, const char *note);

/*
 * For good, for this thread and all that it starts: to be called before there is another one. What the kernel does not
 * have is noted and gone without. 0; -1 and error: something that should work did not, and the process must end.
 */
int priv_drop(const struct priv_conf *conf, priv_note_fn *note, void *ctx, char *error, size_t size);

/* The parts, in this order; each as priv_drop. */
int priv_become(const struct priv_conf *conf, priv_note_fn *note, void *ctx, char *error, size_t size);
int priv_limit_files(const struct priv_conf *conf, priv_note_fn *note, void *ctx, char *error, size_t size);
int priv_limit_calls(priv_note_fn *note, void *ctx, char *error, size_t size);

#endif
