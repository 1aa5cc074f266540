/*
 * Messages for whoever runs waybill, to standard error: subsystem first. Text from the wire is escaped
 * (text_escape) before it comes here. Nothing is logged per packet at warn or above.
 */
#ifndef WAYBILL_LOG_H
#define WAYBILL_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG,
};

void log_open(enum log_level level);
void log_error(const char *subsystem, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *subsystem, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *subsystem, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *subsystem, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
