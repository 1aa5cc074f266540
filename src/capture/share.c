/*
 * Addresses lie at the same distance from the network header; X holds how many bytes of VLAN tags come before that. Every load is
 * preceded by a look at the frame's length: one beyond its end would refuse the frame, for all shares.
 */
#include "config.h"

#include "capture/share.h"

#include <net/ethernet.h>
#include <stdbool.h>

#include <pcap/pcap.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	LINK_ETHERNET = 1,
	LINK_RAW = 101,
	TAG = 4,                /* bytes of a VLAN tag */
	TAGS = 2,
	ETHERTYPE_QINQ = 0x88a8, /* IEEE 802.1ad; 0x9100 came before it */
	ETHERTYPE_QINQ_OLD = 0x9100,
	V4_HEADER = 20, V4_SOURCE = 12, V4_DESTINATION = 16, /* RFC 791, 3.1 */
	V6_HEADER = 40, V6_SOURCE = 8, V6_DESTINATION = 24,  /* RFC 8200, 3 */
	V6_WORDS = 4,
};
enum { MULTIPLY_A = 0x2c1b3c6d, MULTIPLY_B = 0x297a2d39 }; /* odd, with bits all over */

/* Where a jump goes that leads on to what is not written yet. */
enum target { HERE, OTHER, IPV4, IPV6, MIX, TARGETS };

struct writer {
	struct bpf_insn *out;
	size_t count;
	struct { /* jumps that wait for their target */
		size_t at;
		bool when_true;
	} waits[TARGETS][16];
	size_t wait_count[TARGETS];
};

static void write_type(struct writer *w);
static void write_version(struct writer *w);
static void write_v4(struct writer *w, const struct share *s, uint32_t network);
static void write_v6(struct writer *w, const struct share *s, uint32_t network);
static void write_length(struct writer *w, uint32_t least);
static void write_mixed(struct writer *w, uint32_t key, unsigned slot);
static void write_choice(struct writer *w, const struct share *s);
static void step(struct writer *w, int code, uint32_t k);
static void jump(struct writer *w, int test, uint32_t k, enum target yes, enum target no);
static void always(struct writer *w, enum target to);
static void land(struct writer *w, enum target t);
static void fold(struct writer *w, int shift);

size_t
share_program(const struct share *s, uint16_t link, struct bpf_insn *out)
{
	struct writer w = {.out = out};
	const uint32_t network = link == LINK_ETHERNET ? ETHER_HDR_LEN : 0;
	if (s->count < 2)
		return 0;
	if (link == LINK_ETHERNET)
		write_type(&w);
	else if (link == LINK_RAW)
		write_version(&w);
	if (link == LINK_ETHERNET || link == LINK_RAW) {
		land(&w, IPV4);
		write_v4(&w, s, network);
		land(&w, IPV6);
		write_v6(&w, s, network);
		land(&w, MIX);
		write_choice(&w, s);
	} else if (s->index != 0) {
		step(&w, BPF_RET | BPF_K, 0);
	} else {
		step(&w, BPF_LD | BPF_IMM, 0); /* everything: no instruction would mean the same, and 0 that there is one share */
	}
	return w.count;
}

/* The EtherType behind the tags that are still in the frame: the kernel takes the outermost one out. */
static void
write_type(struct writer *w)
{
	static const uint32_t tags[] = {ETHERTYPE_VLAN, ETHERTYPE_QINQ, ETHERTYPE_QINQ_OLD};
	for (uint32_t n = 0; n <= TAGS; n++) {
		write_length(w, ETHER_HDR_LEN + n * TAG);
		step(w, BPF_LDX | BPF_IMM, n * TAG);
		step(w, BPF_LD | BPF_H | BPF_ABS, ETHER_HDR_LEN - 2 + n * TAG);
		jump(w, BPF_JEQ, ETHERTYPE_IP, IPV4, HERE);
		jump(w, BPF_JEQ, ETHERTYPE_IPV6, IPV6, HERE);
		if (n == TAGS)
			break;
		for (size_t i = 0; i + 1 < COUNT(tags); i++) { /* over those that follow, to the next round */
			jump(w, BPF_JEQ, tags[i], HERE, HERE);
			w->out[w->count - 1].jt = (u_char)(COUNT(tags) - 1 - i);
		}
		jump(w, BPF_JEQ, tags[COUNT(tags) - 1], HERE, OTHER);
	}
	always(w, OTHER);
}

static void
write_version(struct writer *w)
{
	write_length(w, 1);
	step(w, BPF_LDX | BPF_IMM, 0);
	step(w, BPF_LD | BPF_B | BPF_ABS, 0);
	step(w, BPF_ALU | BPF_RSH | BPF_K, 4);
	jump(w, BPF_JEQ, 4, IPV4, HERE);
	jump(w, BPF_JEQ, 6, IPV6, OTHER);
}

static void
write_v4(struct writer *w, const struct share *s, uint32_t network)
{
	step(w, BPF_LD | BPF_W | BPF_LEN, 0);
	step(w, BPF_ALU | BPF_SUB | BPF_X, 0);
	jump(w, BPF_JGE, network + V4_HEADER, HERE, OTHER);
	step(w, BPF_LD | BPF_W | BPF_IND, network + V4_SOURCE);
	step(w, BPF_ST, 0);
	step(w, BPF_LD | BPF_W | BPF_IND, network + V4_DESTINATION);
	write_mixed(w, s->key[0], 1);
	step(w, BPF_LD | BPF_MEM, 0);
	write_mixed(w, s->key[0], 0);
	always(w, MIX);
}

/* Each address is folded to a word: by Horner's rule, at a point that nobody knows. */
static void
write_v6(struct writer *w, const struct share *s, uint32_t network)
{
	static const uint32_t ends[] = {V6_SOURCE, V6_DESTINATION};
	step(w, BPF_LD | BPF_W | BPF_LEN, 0);
	step(w, BPF_ALU | BPF_SUB | BPF_X, 0);
	jump(w, BPF_JGE, network + V6_HEADER, HERE, OTHER);
	for (uint32_t i = 0; i < 2 * V6_WORDS; i++) {
		step(w, BPF_LD | BPF_W | BPF_IND, network + ends[i / V6_WORDS] + i % V6_WORDS * 4);
		step(w, BPF_ST, i);
	}
	for (uint32_t e = 0; e < 2; e++) {
		step(w, BPF_LD | BPF_MEM, e * V6_WORDS);
		for (uint32_t i = 1; i < V6_WORDS; i++) {
			step(w, BPF_ALU | BPF_MUL | BPF_K, s->key[1] | 1);
			step(w, BPF_LDX | BPF_MEM, e * V6_WORDS + i);
			step(w, BPF_ALU | BPF_ADD | BPF_X, 0);
		}
		write_mixed(w, s->key[0], e);
	}
}

/* Of frames shorter than that, no more is looked at. */
static void
write_length(struct writer *w, uint32_t least)
{
	step(w, BPF_LD | BPF_W | BPF_LEN, 0);
	jump(w, BPF_JGE, least, HERE, OTHER);
}

/* The address in A, mixed on its own, to a slot: what is added up later is the same whoever sent the frame. */
static void
write_mixed(struct writer *w, uint32_t key, unsigned slot)
{
	step(w, BPF_ALU | BPF_XOR | BPF_K, key);
	step(w, BPF_ALU | BPF_MUL | BPF_K, MULTIPLY_A);
	fold(w, 15);
	step(w, BPF_ALU | BPF_MUL | BPF_K, MULTIPLY_B);
	fold(w, 16);
	step(w, BPF_ST, slot);
}

/* Both addresses are mixed in slots 0 and 1. Whose is the frame? And what is no one's by its addresses, is the first one's. */
static void
write_choice(struct writer *w, const struct share *s)
{
	step(w, BPF_LD | BPF_MEM, 0);
	step(w, BPF_LDX | BPF_MEM, 1);
	step(w, BPF_ALU | BPF_ADD | BPF_X, 0);
	fold(w, 15);
	step(w, BPF_ALU | BPF_MUL | BPF_K, MULTIPLY_A);
	fold(w, 16);
	step(w, BPF_ALU | BPF_MOD | BPF_K, s->count);
	jump(w, BPF_JEQ, s->index, HERE, HERE);
	w->out[w->count - 1].jt = 1;
	if (s->index != 0)
		land(w, OTHER);
	step(w, BPF_RET | BPF_K, 0);
	if (s->index == 0)
		land(w, OTHER);
}

static void
step(struct writer *w, int code, uint32_t k)
{
	w->out[w->count++] = (struct bpf_insn){.code = (u_short)code, .k = k};
}

static void
jump(struct writer *w, int test, uint32_t k, enum target yes, enum target no)
{
	if (yes != HERE) {
		w->waits[yes][w->wait_count[yes]].at = w->count;
		w->waits[yes][w->wait_count[yes]++].when_true = true;
	}
	if (no != HERE) {
		w->waits[no][w->wait_count[no]].at = w->count;
		w->waits[no][w->wait_count[no]++].when_true = false;
	}
	step(w, BPF_JMP | test | BPF_K, k);
}

static void
always(struct writer *w, enum target to)
{
	jump(w, BPF_JEQ, 0, to, to); /* equal or not: a jump as short as all the others */
}

/* What comes next is the target. */
static void
land(struct writer *w, enum target t)
{
	for (size_t i = 0; i < w->wait_count[t]; i++) {
		struct bpf_insn *from = &w->out[w->waits[t][i].at];
		const u_char distance = (u_char)(w->count - w->waits[t][i].at - 1);
		if (w->waits[t][i].when_true)
			from->jt = distance;
		else
			from->jf = distance;
	}
	w->wait_count[t] = 0;
}

/* A ^= A >> shift: the high bits, which depend on all, reach the low ones. */
static void
fold(struct writer *w, int shift)
{
	step(w, BPF_MISC | BPF_TAX, 0);
	step(w, BPF_ALU | BPF_RSH | BPF_K, (uint32_t)shift);
	step(w, BPF_ALU | BPF_XOR | BPF_X, 0);
}
