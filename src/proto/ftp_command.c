#include "config.h"

#include "proto/ftp_command.h"

#include <string.h>

#include "base/text.h"

static bool is_letter(uint8_t c);
static const struct ftp_verb *verb_find(const uint8_t *word, size_t len);
static bool is_one_of(unsigned action, unsigned code);

static const struct ftp_verb verbs[] = {
        /* access (RFC 959 section 4.1.1) */
        {"USER", FTP_USER, false},
        {"PASS", FTP_LOGIN, false},
        {"ACCT", FTP_LOGIN, true},
        {"CWD", FTP_CWD, true},
        {"XCWD", FTP_CWD, true},
        {"CDUP", FTP_CDUP, true},
        {"XCUP", FTP_CDUP, true},
        {"SMNT", FTP_OTHER, true},
        {"REIN", FTP_REIN, true},
        {"QUIT", FTP_OTHER, false},
        /* data connections (section 4.1.2, RFC 1639, RFC 2428) */
        {"PORT", FTP_PORT, true},
        {"PASV", FTP_PASV, true},
        {"EPRT", FTP_EPRT, true},
        {"EPSV", FTP_EPSV, true},
        {"LPRT", FTP_LPRT, true},
        {"LPSV", FTP_LPSV, true},
        {"TYPE", FTP_TYPE, true},
        {"STRU", FTP_OTHER, true},
        {"MODE", FTP_MODE, false},
        /* service (section 4.1.3, RFC 3659) */
        {"RETR", FTP_RETR, false},
        {"STOR", FTP_STOR, true},
        {"STOU", FTP_STOU, true},
        {"APPE", FTP_STOR, true},
        {"ALLO", FTP_OTHER, true},
        {"REST", FTP_REST, true},
        {"RNFR", FTP_RENAME, true},
        {"RNTO", FTP_OTHER, true},
        {"ABOR", FTP_ABOR, true},
        {"DELE", FTP_OTHER, false},
        {"RMD", FTP_OTHER, true},
        {"XRMD", FTP_OTHER, true},
        {"MKD", FTP_MKD, true},
        {"XMKD", FTP_MKD, true},
        {"PWD", FTP_PWD, true},
        {"XPWD", FTP_PWD, true},
        {"LIST", FTP_LIST, false},
        {"NLST", FTP_LIST, true},
        {"MLSD", FTP_LIST, true},
        {"MLST", FTP_OTHER, true},
        {"SIZE", FTP_SIZE, true},
        {"MDTM", FTP_OTHER, true},
        {"MFMT", FTP_OTHER, true},
        {"SITE", FTP_OTHER, true},
        {"SYST", FTP_OTHER, true},
        {"STAT", FTP_OTHER, false},
        {"HELP", FTP_OTHER, false},
        {"NOOP", FTP_OTHER, false},
        /* features (RFC 2389, RFC 7151) and what is in use without an RFC */
        {"FEAT", FTP_OTHER, true},
        {"OPTS", FTP_OTHER, true},
        {"LANG", FTP_OTHER, true},
        {"HOST", FTP_HOST, false},
        {"CLNT", FTP_CLIENT, true},
        {"CSID", FTP_CLIENT, true},
        {"AVBL", FTP_OTHER, true},
        {"XCRC", FTP_OTHER, true},
        /* security (RFC 2228, RFC 4217) */
        {"AUTH", FTP_AUTH, false},
        {"ADAT", FTP_ADAT, true},
        {"PBSZ", FTP_OTHER, true},
        {"PROT", FTP_OTHER, true},
        {"CCC", FTP_OTHER, true},
        {"MIC", FTP_SEALED, true},
        {"CONF", FTP_SEALED, true},
        {"ENC", FTP_SEALED, true},
};

/* Replies that tell which command they answer (RFC 959 section 5.4, RFC 2228, RFC 2428). */
static const struct {
	uint16_t code;
	uint8_t action[5]; /* enum ftp_action; FTP_OTHER ends */
} answers[] = {
        {110, {FTP_RETR, FTP_STOR, FTP_STOU}},
        {125, {FTP_RETR, FTP_STOR, FTP_STOU, FTP_LIST}},
        {150, {FTP_RETR, FTP_STOR, FTP_STOU, FTP_LIST}},
        {225, {FTP_ABOR}},
        {226, {FTP_RETR, FTP_STOR, FTP_STOU, FTP_LIST, FTP_ABOR}},
        {227, {FTP_PASV}},
        {228, {FTP_LPSV}},
        {229, {FTP_EPSV}},
        {230, {FTP_USER, FTP_LOGIN}},
        {234, {FTP_AUTH}},
        {235, {FTP_ADAT}},
        {257, {FTP_PWD, FTP_MKD}},
        {331, {FTP_USER}},
        {332, {FTP_USER, FTP_LOGIN}},
        {334, {FTP_AUTH}},
        {335, {FTP_ADAT}},
        {350, {FTP_REST, FTP_RENAME}},
        {425, {FTP_RETR, FTP_STOR, FTP_STOU, FTP_LIST}},
        {426, {FTP_RETR, FTP_STOR, FTP_STOU, FTP_LIST}},
};

bool
ftp_command_parse(const uint8_t *line, size_t len, struct ftp_command *out)
{
	size_t word = 0;

	while (word < len && is_letter(line[word]))
		word++;
	if (word < 3 || word > 4 || (word < len && line[word] != ' '))
		return false;
	size_t start = word < len ? word + 1 : len;
	*out = (struct ftp_command){.verb = verb_find(line, word),
	        .arg = line + start,
	        .arg_len = len - start};
	return true;
}

enum ftp_fit
ftp_command_fits(const struct ftp_verb *verb, unsigned code)
{
	unsigned action = verb != NULL ? verb->action : FTP_OTHER;

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		if (answers[i].code == code)
			return is_one_of(action, code) ? FTP_FIT_YES : FTP_FIT_NO;
	/* Many servers say only once that a transfer was broken off; ABOR then has no reply of its own. */
	if (action == FTP_ABOR && code < 400 && code != 200 && code != 250)
		return FTP_FIT_NO;
	return FTP_FIT_MAYBE;
}

static bool
is_one_of(unsigned action, unsigned code)
{
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (answers[i].code != code)
			continue;
		for (size_t k = 0; k < sizeof answers[i].action && answers[i].action[k] != FTP_OTHER; k++)
			if (answers[i].action[k] == action)
				return true;
	}
	return false;
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Commands do not know case (RFC 959 section 5.3). */
static const struct ftp_verb *
verb_find(const uint8_t *word, size_t len)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (text_equal_nocase(word, len, verbs[i].word))
			return &verbs[i];
	return NULL;
}
