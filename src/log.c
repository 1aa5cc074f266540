/*
 * Messages to standard error, a line each, written with one call so that lines of several
 * writers stay whole. There are no files, no rotation and no syslog here: a service manager has them,
 * and the journal is told each line's priority.
 */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "log.h"

enum { LOG_LINE_MAX = 2048 };

static void log_write(enum log_level level, const char *subsystem, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static bool is_journal(void);

static enum log_level log_level = LOG_WARN;
static bool log_journal; /* lines begin with their priority, sd-daemon(3) */

static const char *const level_words[] = {
	[LOG_ERROR] = "error: ",
	[LOG_WARN] = "warning: ",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "",
};

static const int priorities[] = { /* syslog(3) */
	[LOG_ERROR] = 3,
	[LOG_WARN] = 4,
	[LOG_INFO] = 6,
	[LOG_DEBUG] = 7,
};

void
log_open(enum log_level level)
{
	log_level = level;
	log_journal = is_journal();
}

/* systemd.exec(5): $JOURNAL_STREAM names the device and inode of the journal's stream; standard error may have been redirected. */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;
	return stream != NULL && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

void
log_error(const char *subsystem, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_write(LOG_ERROR, subsystem, format, args);
	va_end(args);
}

void
log_warn(const char *subsystem, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_write(LOG_WARN, subsystem, format, args);
	va_end(args);
}

void
log_info(const char *subsystem, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_write(LOG_INFO, subsystem, format, args);
	va_end(args);
}

void
log_debug(const char *subsystem, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_write(LOG_DEBUG, subsystem, format, args);
	va_end(args);
}

/* The message is escaped as a whole too: no caller's slip may move the cursor of a terminal. */
static void
log_write(enum log_level level, const char *subsystem, const char *format, va_list args)
{
	char message[LOG_LINE_MAX];
	char escaped[LOG_LINE_MAX];

	if (level > log_level)
		return;
	vsnprintf(message, sizeof message, format, args);
	text_escape(escaped, sizeof escaped, message, strlen(message));
	if (log_journal) /* it has the program's name, and the level by the priority */
		fprintf(stderr, "<%d>%s: %s\n", priorities[level], subsystem, escaped);
	else
		fprintf(stderr, "waybill: %s: %s%s\n", subsystem, level_words[level], escaped);
}
