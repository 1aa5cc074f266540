/* Known by the words that the server programs put into title or heading; none of them is translated. */
#include "config.h"

#include "proto/http_listing.h"

#include <string.h>

#include "base/text.h"

static const char *const marks[] = {
        "<title>index of /",             /* Apache, nginx, lighttpd */
        "<h1>index of /",
        "<title>index of ftp://",        /* Squid */
        "<title>directory listing for ", /* Python, Tomcat, Twisted */
        "<title>directory: /",           /* Jetty */
        "<title>listing directory ",     /* Node's serve-index */
        "[to parent directory]",         /* IIS */
};

bool
http_listing_looks(const uint8_t *html, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (html[i] != '<' && html[i] != '[')
			continue;
		for (size_t k = 0; k < sizeof marks / sizeof marks[0]; k++)
			if (text_prefix_nocase(html + i, len - i, marks[k]))
				return true;
	}
	return false;
}
