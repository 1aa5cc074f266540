/* What a parser says of the bytes it was given. One polarity everywhere. */
#ifndef WAYBILL_BASE_VERDICT_H
#define WAYBILL_BASE_VERDICT_H

enum verdict {
	VERDICT_MORE,      /* fine so far; give the next bytes */
	VERDICT_DONE,      /* all that was wanted is known; send nothing more */
	VERDICT_SWITCH,    /* the rest of the conversation is another protocol's: classify it afresh */
	VERDICT_NOT_MINE,  /* not this protocol */
	VERDICT_MALFORMED, /* it was this protocol, and broke its rules beyond following */
};

#endif
