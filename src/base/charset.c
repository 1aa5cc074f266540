#include "config.h"

#include "base/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum { NAME_MAX_BYTES = 4096, CHARSET_NAME_MAX = 40, CONVERTERS_KEPT = 16 };

/* One charset that file names of this trade come in, and how well bytes fit it. */
struct candidate {
	const char *name;   /* as told to users */
	const char *iconv;  /* as iconv knows it */
	int (*weigh)(uint32_t code, uint8_t lead, uint8_t trail);
};

/*
 * Opening one maps a library into memory and closing it takes it out again: a hundred times what a name takes
 * to convert. So each thread keeps some; what is rarely used makes room.
 */
struct converter {
	char from[CHARSET_NAME_MAX];
	const char *to; /* static; NULL: none is kept here */
	iconv_t cd;     /* (iconv_t)-1: there is no such charset */
};
static _Thread_local struct converter converters[CONVERTERS_KEPT];
static _Thread_local unsigned next_converter;

static iconv_t converter(const char *to, const char *from);
static int weigh_chinese(uint32_t code, uint8_t lead, uint8_t trail);
static int weigh_korean(uint32_t code, uint8_t lead, uint8_t trail);
static int weigh_shift_jis(uint32_t code, uint8_t lead, uint8_t trail);
static int weigh_euc_jp(uint32_t code, uint8_t lead, uint8_t trail);
static bool is_common(const char *list, uint32_t code);
static bool is_kana(uint32_t code);
static char *convert(struct arena *a, const char *from, const uint8_t *bytes, size_t len);
static long score(const struct candidate *c, const uint8_t *bytes, size_t len);
static char *as_latin1(struct arena *a, const uint8_t *bytes, size_t len);
static const char *known_alias(const char *declared);

static const struct candidate candidates[] = {
	{"cp949", "CP949", weigh_korean},
	{"gb18030", "GB18030", weigh_chinese},
	{"shift_jis", "CP932", weigh_shift_jis},
	{"euc-jp", "EUC-JP", weigh_euc_jp},
};

/* The characters that short names hold most; what remains is decided by where a byte pair lies. */
static const char common_chinese[] =
        "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可"
        "里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已"
        "老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问"
        "修改原画动画分镜镜头场景背景角色设计第集话版最终稿文件夹新建图片资料合成上色线稿完成表格说明副本备份"
        "测试样片音效特效剪辑号卷册项目报告合同价格客户";
static const char common_korean[] =
        "이다의는에을가하고를지한사기로서은도리자시대어나인아해스정일부수라전만보장화주구상과원제들조소성"
        "위실방동공무그있유모발관국연마간여오신세생선바비면계개교양안내문물명회물두체업적중요우미치파최"
        "경영진단터게거드노본분설말할후출통심법데르음행더레당외타번금된각류년월표재원화수정컷작화배경콘티"
        "스토리보드애니메이션완료최종파일폴더사진자료새견적계약보고서양식목록참고메모시나리오";

char *
charset_decode(struct arena *a, const void *bytes, size_t len, const char *declared, const char **encoding,
        bool *guessed)
{
	if (len > NAME_MAX_BYTES)
		len = NAME_MAX_BYTES;
	if (declared != NULL && strlen(declared) < CHARSET_NAME_MAX) {
		char *text = convert(a, known_alias(declared), bytes, len);
		if (text != NULL) {
			*encoding = arena_string(a, declared, strlen(declared));
			*guessed = false;
			return text;
		}
	}
	const struct candidate *best = NULL;
	long best_score = 0;
	for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
		long points = score(&candidates[i], bytes, len);
		if (points > best_score) {
			best = &candidates[i];
			best_score = points;
		}
	}
	*guessed = true;
	*encoding = best != NULL ? best->name : "latin-1";
	char *text = best != NULL ? convert(a, best->iconv, bytes, len) : NULL;
	return text != NULL ? text : as_latin1(a, bytes, len);
}

void
charset_release(void)
{
	for (size_t i = 0; i < CONVERTERS_KEPT; i++) {
		if (converters[i].to != NULL && converters[i].cd != (iconv_t)-1)
			iconv_close(converters[i].cd);
		converters[i] = (struct converter){.to = NULL};
	}
}

/* In its initial state; not to be closed. from is shorter than CHARSET_NAME_MAX. */
static iconv_t
converter(const char *to, const char *from)
{
	for (size_t i = 0; i < CONVERTERS_KEPT; i++) {
		struct converter *c = &converters[i];
		if (c->to == NULL || strcmp(c->to, to) != 0 || strcmp(c->from, from) != 0)
			continue;
		if (c->cd != (iconv_t)-1)
			iconv(c->cd, NULL, NULL, NULL, NULL);
		return c->cd;
	}
	struct converter *c = &converters[next_converter++ % CONVERTERS_KEPT];
	if (c->to != NULL && c->cd != (iconv_t)-1)
		iconv_close(c->cd);
	c->to = to;
	memcpy(c->from, from, strlen(from) + 1);
	return c->cd = iconv_open(to, from);
}

/* GB 2312 level 1 holds the usual characters, in the order of their sounds; level 2 the rare ones. */
static int
weigh_chinese(uint32_t code, uint8_t lead, uint8_t trail)
{
	if (code >= 0xe000 && code < 0xf900)
		return -6;
	if (is_kana(code))
		return 0;
	if (code < 0x4e00 || code > 0x9fff)
		return trail >= 0xa1 && lead <= 0xa3 ? 2 : -4;
	if (is_common(common_chinese, code))
		return 8;
	if (trail < 0xa1 || lead < 0xb0)
		return -2;
	return lead <= 0xd7 ? 4 : 0;
}

/* KS X 1001 has its 2,350 usual syllables in rows 16 to 40; the rest of CP949 is rare. */
static int
weigh_korean(uint32_t code, uint8_t lead, uint8_t trail)
{
	if (code >= 0xac00 && code <= 0xd7a3) {
		if (is_common(common_korean, code))
			return 8;
		return lead >= 0xb0 && lead <= 0xc8 && trail >= 0xa1 ? 4 : -2;
	}
	return lead <= 0xa3 && trail >= 0xa1 ? 2 : -4;
}

/* JIS X 0208 level 1 lies in lead bytes 0x88 to 0x98. */
static int
weigh_shift_jis(uint32_t code, uint8_t lead, uint8_t trail)
{
	(void)trail;
	if (code >= 0xff61 && code <= 0xff9f)
		return -2;
	if (code >= 0xe000 && code < 0xf900)
		return -6;
	if (is_kana(code))
		return 8;
	if (code >= 0x4e00 && code <= 0x9fff)
		return lead <= 0x98 ? 5 : 0;
	return lead == 0x81 ? 2 : -4;
}

static int
weigh_euc_jp(uint32_t code, uint8_t lead, uint8_t trail)
{
	(void)trail;
	if (is_kana(code))
		return code >= 0xff61 ? -2 : 8;
	if (code >= 0x4e00 && code <= 0x9fff)
		return lead >= 0xb0 && lead <= 0xcf ? 2 : 0;
	return lead == 0xa1 ? 1 : -4;
}

static bool
is_kana(uint32_t code)
{
	return (code >= 0x3041 && code <= 0x30ff) || (code >= 0xff61 && code <= 0xff9f);
}

static bool
is_common(const char *list, uint32_t code)
{
	char utf8[4] = {(char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f)), 0};
	return code >= 0x800 && code < 0x10000 && strstr(list, utf8) != NULL;
}

/* Points per hundred bytes beyond ASCII; 0 when bytes cannot be this charset at all. */
static long
score(const struct candidate *c, const uint8_t *bytes, size_t len)
{
	iconv_t cd = converter("UTF-32LE", c->iconv);
	if (cd == (iconv_t)-1)
		return 0;
	long points = 0, beyond = 0;
	size_t at = 0;
	while (at < len) {
		if (bytes[at] < 0x80) {
			at++;
			continue;
		}
		uint8_t wide[4];
		size_t taken = 0;
		for (size_t n = 1; n <= 4 && n <= len - at; n++) {
			char *in = (char *)(uintptr_t)(bytes + at), *out = (char *)wide;
			size_t in_left = n, out_left = sizeof wide;
			iconv(cd, NULL, NULL, NULL, NULL);
			if (iconv(cd, &in, &in_left, &out, &out_left) != (size_t)-1 && out_left == 0) {
				taken = n;
				break;
			}
		}
		if (taken == 0) {
			points = 0;
			beyond = 1;
			break;
		}
		uint32_t code = (uint32_t)wide[0] | (uint32_t)wide[1] << 8 | (uint32_t)wide[2] << 16;
		points += c->weigh(code, bytes[at], taken > 1 ? bytes[at + 1] : 0) * 100;
		beyond += (long)taken;
		at += taken;
	}
	return beyond > 0 ? points / beyond : 0;
}

/* NULL when any byte does not convert, or the name is not known. */
static char *
convert(struct arena *a, const char *from, const uint8_t *bytes, size_t len)
{
	iconv_t cd = converter("UTF-8", from);
	if (cd == (iconv_t)-1)
		return NULL;
	char *text = NULL;
	size_t size = len * 4 + 1;
	char *buffer = malloc(size);
	if (buffer != NULL) {
		char *in = (char *)(uintptr_t)bytes, *out = buffer;
		size_t in_left = len, out_left = size - 1;
		size_t done = iconv(cd, &in, &in_left, &out, &out_left);
		if (done != (size_t)-1 && in_left == 0) {
			size_t used = (size_t)(out - buffer);
			if (memchr(buffer, '\0', used) == NULL)
				text = arena_string(a, buffer, used);
		}
		free(buffer);
	}
	return text;
}

static char *
as_latin1(struct arena *a, const uint8_t *bytes, size_t len)
{
	char *text = arena_alloc(a, len * 3 + 1);
	if (text == NULL)
		return NULL;
	char *out = text;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == 0) {
			memcpy(out, "\xef\xbf\xbd", 3);
			out += 3;
		} else if (bytes[i] < 0x80) {
			*out++ = (char)bytes[i];
		} else {
			*out++ = (char)(0xc0 | bytes[i] >> 6);
			*out++ = (char)(0x80 | (bytes[i] & 0x3f));
		}
	}
	return text;
}

/* Labels that stand for a larger set in practice. */
static const char *
known_alias(const char *declared)
{
	static const char *const pairs[][2] = {
		{"gb2312", "GB18030"}, {"gbk", "GB18030"}, {"euc-kr", "CP949"}, {"ks_c_5601-1987", "CP949"},
		{"shift_jis", "CP932"}, {"sjis", "CP932"}, {"x-sjis", "CP932"}, {"iso-8859-1", "CP1252"},
	};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		if (text_equal_nocase(declared, strlen(declared), pairs[i][0]))
			return pairs[i][1];
	}
	return declared;
}
