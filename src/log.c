/*
 * Messages to standard error, a line each, written with one call so that lines of several
 * writers stay whole. There are no files, no rotation and no syslog here: a service manager has them.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "log.h"

enum { LOG_LINE_MAX = 2048 };

static void log_write(enum log_level level, const char *subsystem, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static enum log_level log_level = LOG_WARN;

static const char *const level_words[] = {
	[LOG_ERROR] = "error: ",
	[LOG_WARN] = "warning: ",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "",
};

void
log_open(enum log_level level)
{
	log_level = level;
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
	fprintf(stderr, "waybill: %s: %s%s\n", subsystem, level_words[level], escaped);
}
