/* The name of a file out of its path. */
#ifndef WAYBILL_TRANSFER_NAME_H
#define WAYBILL_TRANSFER_NAME_H

#include "base/text.h"

/*
 * The last component of path, after the last '/' or '\'. It points into path. A path that ends in a
 * separator names a folder: then there is no text.
 */
struct text name_of_path(const struct text *path);

#endif
