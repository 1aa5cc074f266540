#include "config.h"

#include "proto/http_upgrade.h"

#include "proto/http2.h"
#include "proto/websocket.h"

static bool go_on(struct http *h, const struct proto *next, void *state);

bool
http_upgrade(struct http *h, enum side server, const struct http_head *head, struct http_exchange *x)
{
	const enum side client = side_other(server);
	if (http_head_lists(head, "upgrade", "h2c"))
		return go_on(h, &proto_http2, http2_open_upgraded(h->session, client, x));
	if (!http_head_lists(head, "upgrade", "websocket") ||
	        !go_on(h, &proto_websocket, websocket_open_upgraded(h->session, client, head)))
		return false;
	http_exchange_unref(x);
	return true;
}

static bool
go_on(struct http *h, const struct proto *next, void *state)
{
	if (state == NULL)
		return false;
	h->next = next;
	h->next_state = state;
	session_protocol(h->session, next->name, "upgrade");
	h->side[SIDE_SOURCE].state = h->side[SIDE_DESTINATION].state = HTTP_STATE_UPGRADED;
	return true;
}
