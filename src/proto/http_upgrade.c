#include "config.h"

#include "proto/http_upgrade.h"

#include "proto/http2.h"

bool
http_upgrade(struct http *h, enum side server, const struct http_head *head, struct http_exchange *x)
{
	if (!http_head_lists(head, "upgrade", "h2c"))
		return false;
	h->next_state = http2_open_upgraded(h->session, side_other(server), x);
	if (h->next_state == NULL)
		return false;
	h->next = &proto_http2;
	session_protocol(h->session, h->next->name, "upgrade");
	h->side[SIDE_SOURCE].state = h->side[SIDE_DESTINATION].state = HTTP_STATE_UPGRADED;
	return true;
}
