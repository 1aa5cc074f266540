/*
 * Tells the service manager how waybill is: the protocol of sd_notify(3), datagrams to the socket that NOTIFY_SOCKET names. It
 * is documented as stable for everybody who writes it by hand, and some lines are less to trust than a library.
 */
#ifndef WAYBILL_NOTIFY_H
#define WAYBILL_NOTIFY_H

#include <stdint.h>

struct notify;

/* NULL: nobody wants to know, or the socket can't be had. All functions take that. Before privileges are given up. */
struct notify *notify_open(void);
void notify_close(struct notify *n);

void notify_ready(struct notify *n);
void notify_reloading(struct notify *n);  /* notify_ready when it is done */
void notify_stopping(struct notify *n);
void notify_status(struct notify *n, const char *sentence);
void notify_alive(struct notify *n);      /* for the watchdog */

/* ns from one notify_alive to the next: half of what the manager waits; 0: it has no watchdog for this process. */
int64_t notify_interval(const struct notify *n);

#endif
