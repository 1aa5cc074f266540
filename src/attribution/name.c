/*
 * What the destination of a flow is called, and whose service it is. The client's own words come first, then what DNS
 * told it, then what DNS told others; a name that none of them gives may still be that of a network.
 */
#include "config.h"

#include <string.h>

#include "attribution/snapshot.h"
#include "base/detail.h"

/* What a host's name is made of; many have an underscore, against RFC 952. */
enum host_character {
	HOST_NONE,
	HOST_OTHER = 1 << 0,
	HOST_LETTER = 1 << 1,
};

static const uint8_t host_characters[256] = {
	['a' ... 'z'] = HOST_LETTER, ['A' ... 'Z'] = HOST_LETTER,
	['0' ... '9'] = HOST_OTHER, ['-'] = HOST_OTHER, ['.'] = HOST_OTHER, ['_'] = HOST_OTHER,
};

static struct end_name host_name(const char *text, enum name_basis basis);
static struct end_name name_of(const struct facts *f);
static struct service by_certificate(const struct attribution *a, const struct facts *f);
static const struct service_row *by_certified_name(const struct attribution *a, const char *text);
static enum confidence confidence_of(const struct service_row *row, enum name_basis basis);

void
attribution_name(const struct attribution *a, struct flow_record *r)
{
	static const enum side sides[] = {SIDE_DESTINATION, SIDE_SOURCE};
	r->name = name_of(r->facts);
	r->service = (struct service){0};
	if (r->name.text != NULL)
		r->service = (struct service){.row = services_by_name(&a->services, r->name.text, r->name.len),
		        .basis = r->name.basis, .side = SIDE_DESTINATION};
	if (r->service.row == NULL)
		r->service = by_certificate(a, r->facts);
	for (size_t i = 0; i < 2 && r->service.row == NULL; i++) {
		const struct endpoint *e = &r->side[sides[i]];
		r->service = (struct service){.row = attribution_service_of_place(a, &e->addr, &e->place),
		        .side = sides[i]};
	}
	if (r->service.row != NULL)
		r->service.confidence = confidence_of(r->service.row, r->service.basis);
}

const struct service_row *
attribution_service_of_name(const struct attribution *a, const char *name, size_t len)
{
	return services_by_name(&a->services, name, len);
}

const struct service_row *
attribution_service_of_place(const struct attribution *a, const struct addr *addr, const struct place *place)
{
	return services_by_place(&a->services, addr, place->asn);
}

struct attribution_list
attribution_services(const struct attribution *a)
{
	return (struct attribution_list){.path = a->services.path, .name = "services.csv",
	        .digest = a->services.digest, .rows = a->services.count};
}

/* HTTP's Host has a port at times; an address is no name, and stays what it is, in destination.ip. */
static struct end_name
name_of(const struct facts *f)
{
	const bool http = f->protocol != NULL && strncmp(f->protocol, "http", 4) == 0;
	struct end_name name = host_name(f->tls.server_name, NAME_SNI);
	if (name.text == NULL && http)
		name = host_name(f->service.utf8, NAME_HOST);
	if (name.text == NULL)
		name = host_name(f->resolved, f->resolved_other ? NAME_DNS_OTHER : NAME_DNS);
	return name;
}

/*
 * Of a server that nobody named: one name of its certificate, where that is a service's. Its common name counts only
 * where it has no others (RFC 6125 section 6.4.4).
 */
static struct service
by_certificate(const struct attribution *a, const struct facts *f)
{
	static const char names[] = "tls.server.x509.alternative_names", subject[] = "tls.server.subject", common[] = "CN=";
	struct detail all[DETAIL_MAX];
	struct service service = {.basis = NAME_CERTIFICATE, .side = SIDE_DESTINATION};
	const size_t count = f->tls.server_name == NULL && f->details != NULL ? details_list(f->details, all) : 0;
	const char *only = NULL;
	bool has_names = false;
	for (size_t i = 0; i < count && service.row == NULL; i++) {
		const char *text = all[i].text;
		if (text != NULL && strcmp(all[i].key, subject) == 0 && strncmp(text, common, sizeof common - 1) == 0)
			only = text + sizeof common - 1;
		if (text == NULL || strcmp(all[i].key, names) != 0)
			continue;
		has_names = true;
		service.row = by_certified_name(a, text);
	}
	if (!has_names && only != NULL)
		service.row = by_certified_name(a, only);
	return service;
}

/* text: a name, maybe of all hosts in a domain; of a subject the organisation follows. */
static const struct service_row *
by_certified_name(const struct attribution *a, const char *text)
{
	char host[NAME_MAX_LEN + 1];
	if (strncmp(text, "*.", 2) == 0)
		text += 2;
	const size_t len = strcspn(text, ",");
	if (len >= sizeof host)
		return NULL;
	memcpy(host, text, len);
	host[len] = '\0';
	return host_name(host, NAME_CERTIFICATE).text != NULL ? services_by_name(&a->services, host, len) : NULL;
}

/* text up to a port, where that is a host's name; else nothing. */
static struct end_name
host_name(const char *text, enum name_basis basis)
{
	size_t n = 0;
	unsigned seen = 0;
	if (text == NULL)
		return (struct end_name){0};
	for (; text[n] != ':' && text[n] != '\0'; n++) {
		enum host_character c = host_characters[(uint8_t)text[n]];
		if (c == HOST_NONE)
			return (struct end_name){0};
		seen |= c;
	}
	if (n > NAME_MAX_LEN || (seen & HOST_LETTER) == 0)
		return (struct end_name){0};
	return (struct end_name){.text = text, .len = n, .basis = basis};
}

/*
 * What another client was told need not be what this one asked for: many names share an address. And anybody may show a
 * certificate, which nobody here verifies.
 */
static enum confidence
confidence_of(const struct service_row *row, enum name_basis basis)
{
	return (basis == NAME_DNS_OTHER || basis == NAME_CERTIFICATE) && row->confidence > CONFIDENCE_MEDIUM ? CONFIDENCE_MEDIUM : row->confidence;
}
