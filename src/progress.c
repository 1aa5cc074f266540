#include "config.h"

#include "progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

struct progress {
	FILE *stream;
	int64_t began, shown;
};

enum { BAR_WIDTH = 24 };

static const char *base_name(const char *path);

struct progress *
progress_open(FILE *stream)
{
	if (!isatty(fileno(stream)))
		return NULL;
	struct progress *p = calloc(1, sizeof *p);
	if (p != NULL)
		*p = (struct progress){.stream = stream, .began = clock_monotonic()};
	return p;
}

void
progress_close(struct progress *p)
{
	if (p == NULL)
		return;
	progress_clear(p);
	free(p);
}

void
progress_show(struct progress *p, const struct capture_progress *at)
{
	int64_t now = clock_monotonic();
	if (p == NULL || now - p->shown < 100 * CLOCK_MILLISECOND)
		return;
	p->shown = now;
	double seconds = (double)(now - p->began) / CLOCK_SECOND;
	double rate = seconds > 0 ? (double)at->bytes_read / seconds : 0;
	char name[40];
	const char *path = base_name(at->path);
	text_escape(name, sizeof name, path, strlen(path));
	fprintf(p->stream, "\r\033[K");
	if (at->bytes_total > 0) {
		double part = (double)at->bytes_read / (double)at->bytes_total;
		int full = part < 1 ? (int)(part * BAR_WIDTH) : BAR_WIDTH;
		double left = rate > 0 ? (double)(at->bytes_total - at->bytes_read) / rate : 0;
		fprintf(p->stream, "%3d%% [%.*s%.*s] %.0f s left, ", (int)(part * 100), full,
		        "########################", BAR_WIDTH - full, "                        ", left);
	}
	fprintf(p->stream, "%llu packets, %.1f MB, %.0f MB/s, %s", (unsigned long long)at->frames,
	        (double)at->bytes / 1e6, rate / 1e6, name);
	fflush(p->stream);
}

void
progress_clear(struct progress *p)
{
	if (p == NULL)
		return;
	fprintf(p->stream, "\r\033[K");
	fflush(p->stream);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}
