/* Direct Connect: what results of searches say, for files that are asked for by hash, and of whom; shared by its protocols. Not for others. */
#ifndef WAYBILL_PROTO_DIRECTCONNECT_RESULT_H
#define WAYBILL_PROTO_DIRECTCONNECT_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/proto.h"

enum { DC_TTH_LEN = 39, DC_NAME_MAX = 1024 };

/* Notes the name in a result of a search: NMDC's, behind "$SR "; ADC's, behind the command's four letters. */
void dc_result_nmdc(struct session *s, const uint8_t *line, size_t len);
void dc_result_adc(struct session *s, const uint8_t *line, size_t len);
/* The name of the file with this hash; NULL: no result was seen. Borrowed until the next note is taken. */
const void *dc_result_name(struct session *s, const uint8_t tth[DC_TTH_LEN], size_t *len);

/* ADC's INF, behind its four letters: what its nick is, noted under who it is; and told as the account, if that is asked for. */
void dc_client_adc(struct session *s, const uint8_t *line, size_t len, bool tell);

#endif
