/* How arguments and results of version 4's operations look (RFC 7531, RFC 5662, RFC 7863). */
#include "config.h"

#include "proto/nfs4.h"

#include <string.h>

enum {
	OPAQUE_MAX = 65536,
	HANDLE_MAX = NFS_HANDLE_MAX,
	BITMAP_WORDS_MAX = 8,
	SERVERS_MAX = 16,
	CHANGE_INFO_SIZE = 20,
	ATTRIBUTES_KNOWN = 20, /* the sizes of attributes up to the handle are known */
};

enum { /* attributes (RFC 7530 section 5.6) */
	ATTRIBUTE_SIZE = 4,
	ATTRIBUTE_ACL = 12,
	ATTRIBUTE_HANDLE = 19,
};

enum { /* open_claim_type4 */
	CLAIM_NULL,
	CLAIM_PREVIOUS,
	CLAIM_DELEGATE_CUR,
	CLAIM_DELEGATE_PREV,
	CLAIM_FH,
	CLAIM_DELEG_CUR_FH,
	CLAIM_DELEG_PREV_FH,
};

/*
 * What stands one after another: 4 and 8, numbers of so many bytes; s, a stateid or session (16);
 * o, an opaque or string; b, a bitmap; a, attributes; c, change info.
 */
struct shape {
	const char *args, *results; /* NULL: not known, or read otherwise */
};

static const struct shape shapes[] = {
        [3] = {"4", "44"},        /* ACCESS */
        [OP_CLOSE] = {"4s", "s"},
        [OP_COMMIT] = {NULL, "8"},
        [OP_CREATE] = {NULL, "cb"},
        [7] = {"8", ""},          /* DELEGPURGE */
        [8] = {"s", ""},          /* DELEGRETURN */
        [OP_GETATTR] = {"b", "a"},
        [OP_GETFH] = {"", "o"},
        [OP_LINK] = {NULL, "c"},
        [OP_LOCK] = {NULL, "s"},
        [13] = {"4888o", ""},     /* LOCKT */
        [14] = {"44s88", "s"},    /* LOCKU */
        [OP_LOOKUP] = {NULL, ""},
        [OP_LOOKUPP] = {"", ""},
        [17] = {"a", ""},         /* NVERIFY */
        [19] = {"4", ""},         /* OPENATTR */
        [20] = {"s4", "s"},       /* OPEN_CONFIRM */
        [21] = {"s444", "s"},     /* OPEN_DOWNGRADE */
        [OP_PUTFH] = {NULL, ""},
        [OP_PUTPUBFH] = {"", ""},
        [OP_PUTROOTFH] = {"", ""},
        [OP_READ] = {NULL, NULL},
        [OP_READDIR] = {"8844b", NULL},
        [27] = {"", "o"},         /* READLINK */
        [OP_REMOVE] = {NULL, "c"},
        [OP_RENAME] = {NULL, "cc"},
        [30] = {"8", ""},         /* RENEW */
        [OP_RESTOREFH] = {"", ""},
        [OP_SAVEFH] = {"", ""},
        [33] = {"o", NULL},       /* SECINFO */
        [OP_SETATTR] = {NULL, "b"},
        [35] = {"8o4oo4", "88"},  /* SETCLIENTID */
        [36] = {"88", ""},        /* SETCLIENTID_CONFIRM */
        [37] = {"a", ""},         /* VERIFY */
        [OP_WRITE] = {NULL, "448"},
        [39] = {"8o", ""},        /* RELEASE_LOCKOWNER */
        [41] = {"s44", "s44"},    /* BIND_CONN_TO_SESSION */
        [44] = {"s", ""},         /* DESTROY_SESSION */
        [45] = {"s", ""},         /* FREE_STATEID */
        [OP_LAYOUTGET] = {"444888s4", NULL},
        [52] = {"4", NULL},       /* SECINFO_NO_NAME */
        [53] = {"s4444", "s44444"}, /* SEQUENCE */
        [57] = {"8", ""},         /* DESTROY_CLIENTID */
        [58] = {"4", ""},         /* RECLAIM_COMPLETE */
        [59] = {"s88", ""},       /* ALLOCATE */
        [OP_COPY] = {NULL, NULL},
        [62] = {"s88", ""},       /* DEALLOCATE */
        [65] = {"s88b", "b"},     /* IO_ADVISE */
        [OP_READ_PLUS] = {NULL, NULL},
        [69] = {"s84", "48"},     /* SEEK */
        [OP_CLONE] = {NULL, ""},
};

static void skip_shape(struct reader *r, const char *shape);
static uint32_t read_bitmap(struct reader *r);
static void read_create(struct reader *r, struct nfs4_args *args);
static void read_lock(struct reader *r);
static void read_copy(uint32_t code, struct reader *r, struct nfs4_args *args);
static void read_open(struct reader *r, struct nfs4_args *args);
static bool sets_size_zero(struct reader *r);
static const char *shape_of(uint32_t code, bool results);

bool
nfs4_read_args(uint32_t code, struct reader *r, struct nfs4_args *args)
{
	*args = (struct nfs4_args){0};
	switch (code) {
	case OP_PUTFH:
		args->text[0] = rpc_opaque(r, HANDLE_MAX);
		break;
	case OP_LOOKUP:
	case OP_LINK:
	case OP_REMOVE:
		args->text[0] = rpc_opaque(r, NFS4_NAME_MAX);
		break;
	case OP_RENAME:
		args->text[0] = rpc_opaque(r, NFS4_NAME_MAX);
		args->text[1] = rpc_opaque(r, NFS4_NAME_MAX);
		break;
	case OP_CREATE:
		read_create(r, args);
		break;
	case OP_OPEN:
		read_open(r, args);
		break;
	case OP_LOCK:
		read_lock(r);
		break;
	case OP_SETATTR:
		reader_skip(r, NFS4_STATE_SIZE);
		args->flag = sets_size_zero(r);
		break;
	case OP_COPY:
	case OP_CLONE:
		read_copy(code, r, args);
		break;
	case OP_COMMIT:
		args->offset = reader_be64(r);
		args->count = reader_be32(r);
		break;
	case OP_READ:
	case OP_READ_PLUS:
	case OP_WRITE:
		reader_skip(r, NFS4_STATE_SIZE);
		args->offset = reader_be64(r);
		if (code == OP_WRITE)
			reader_skip(r, 4); /* how stable it ought to be */
		args->count = reader_be32(r);
		args->bulk = code == OP_WRITE;
		break;
	default: {
		const char *shape = shape_of(code, false);
		if (shape == NULL)
			return false;
		skip_shape(r, shape);
	}
	}
	return true;
}

bool
nfs4_skip_results(uint32_t code, struct reader *r)
{
	const char *shape = shape_of(code, true);
	if (shape != NULL)
		skip_shape(r, shape);
	return shape != NULL;
}

struct nfs4_attributes
nfs4_read_attributes(struct reader *r)
{
	static const char *const sizes[ATTRIBUTES_KNOWN] = {"b", "4", "4", "8", "8", "4", "4", "4", "88", "4", "4", "4",
	        NULL, "4", "4", "4", "4", "4", "4", "o"};
	struct nfs4_attributes out = {0};
	uint32_t bits = read_bitmap(r);
	struct reader list = rpc_opaque(r, OPAQUE_MAX);
	for (size_t i = 0; i < ATTRIBUTES_KNOWN; i++) {
		if ((bits & UINT32_C(1) << i) == 0)
			continue;
		if (sizes[i] == NULL) /* an ACL: what is behind it is not reached */
			break;
		struct reader at = list;
		skip_shape(&list, sizes[i]);
		if (!reader_ok(&list))
			break;
		if (i == ATTRIBUTE_SIZE)
			out.state = (struct nfs_state){true, reader_be64(&at)};
		if (i == ATTRIBUTE_HANDLE)
			out.handle = rpc_opaque(&at, HANDLE_MAX);
	}
	return out;
}

void
nfs4_skip_open_results(struct reader *r)
{
	enum { NONE, READ, WRITE, NONE_EXT, CONTENTION = 1, RESOURCE = 2 };
	skip_shape(r, "c4b");
	uint32_t delegation = reader_be32(r);
	if (delegation == READ || delegation == WRITE)
		skip_shape(r, delegation == READ ? "s4444o" : "s448444o"); /* a limit of two forms of one size, and an ACE */
	if (delegation == NONE_EXT) {
		uint32_t why = reader_be32(r);
		if (why == CONTENTION || why == RESOURCE)
			reader_skip(r, 4);
	}
}

struct reader
nfs4_read_implementation(struct reader *r)
{
	struct reader name = {0};
	if (reader_be32(r) != 0) {
		(void)rpc_opaque(r, NFS4_NAME_MAX); /* domain */
		name = rpc_opaque(r, NFS4_NAME_MAX);
		reader_skip(r, 8 + 4);
	}
	return name;
}

static void
skip_shape(struct reader *r, const char *shape)
{
	for (; *shape != '\0'; shape++) {
		switch (*shape) {
		case '4': reader_skip(r, 4); break;
		case '8': reader_skip(r, 8); break;
		case 's': reader_skip(r, NFS4_STATE_SIZE); break;
		case 'c': reader_skip(r, CHANGE_INFO_SIZE); break;
		case 'o': (void)rpc_opaque(r, OPAQUE_MAX); break;
		case 'b': (void)read_bitmap(r); break;
		case 'a': (void)nfs4_read_attributes(r); break;
		}
	}
}

/* Its first word: what is of interest is there. */
static uint32_t
read_bitmap(struct reader *r)
{
	uint32_t words = reader_be32(r), first = 0;
	if (words > BITMAP_WORDS_MAX) {
		r->bad = true;
		r->left = 0;
	}
	for (uint32_t i = 0; i < words && reader_ok(r); i++) {
		uint32_t word = reader_be32(r);
		if (i == 0)
			first = word;
	}
	return first;
}

static void
read_create(struct reader *r, struct nfs4_args *args)
{
	enum { BLOCK = 3, CHARACTER = 4, LINK = 5 }; /* nfs_ftype4 */
	uint32_t type = reader_be32(r);
	if (type == LINK)
		(void)rpc_opaque(r, OPAQUE_MAX);
	else if (type == BLOCK || type == CHARACTER)
		reader_skip(r, 8);
	args->text[0] = rpc_opaque(r, NFS4_NAME_MAX);
	skip_shape(r, "a");
}

static void
read_lock(struct reader *r)
{
	skip_shape(r, "4488");
	skip_shape(r, reader_be32(r) != 0 ? "4s48o" : "s4");
}

/* RFC 7862 sections 15.2 and 15.13: from the saved file into the current one; which bytes of the first is not kept. */
static void
read_copy(uint32_t code, struct reader *r, struct nfs4_args *args)
{
	enum { NAME = 1, URL = 2 }; /* netloc_type4; else an address, which is two texts */
	skip_shape(r, "ss8");
	args->offset = reader_be64(r);
	args->text[0] = reader_sub(r, 8);
	if (code == OP_CLONE)
		return;
	skip_shape(r, "44"); /* in order; before the answer */
	uint32_t servers = reader_be32(r);
	if (servers > SERVERS_MAX)
		r->bad = true;
	for (uint32_t i = 0; i < servers && reader_ok(r); i++) {
		uint32_t type = reader_be32(r);
		skip_shape(r, type == NAME || type == URL ? "o" : "oo");
	}
}

static void
read_open(struct reader *r, struct nfs4_args *args)
{
	enum { CREATE = 1, UNCHECKED = 0, GUARDED = 1, EXCLUSIVE = 2, EXCLUSIVE_1 = 3 };
	skip_shape(r, "4448o"); /* seqid, access, deny, owner */
	args->flag = reader_be32(r) == CREATE;
	if (args->flag) {
		uint32_t mode = reader_be32(r);
		if (mode == EXCLUSIVE || mode == EXCLUSIVE_1)
			reader_skip(r, 8);
		if (mode != EXCLUSIVE)
			skip_shape(r, "a");
	}
	args->count = reader_be32(r);
	switch (args->count) {
	case CLAIM_PREVIOUS: reader_skip(r, 4); break;
	case CLAIM_DELEG_CUR_FH: reader_skip(r, NFS4_STATE_SIZE); break;
	case CLAIM_DELEGATE_CUR: reader_skip(r, NFS4_STATE_SIZE); /* fall through */
	case CLAIM_NULL:
	case CLAIM_DELEGATE_PREV: args->text[0] = rpc_opaque(r, NFS4_NAME_MAX); break;
	default: break;
	}
}

static bool
sets_size_zero(struct reader *r)
{
	struct nfs4_attributes a = nfs4_read_attributes(r);
	return a.state.size_known && a.state.size == 0;
}

static const char *
shape_of(uint32_t code, bool results)
{
	if (code >= sizeof shapes / sizeof shapes[0])
		return NULL;
	return results ? shapes[code].results : shapes[code].args;
}
