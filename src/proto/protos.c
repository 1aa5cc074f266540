/* All protocols, the most specific first. */
#include "config.h"

#include "proto/proto.h"

const struct proto *const protos[] = {
        &proto_ssh,
        &proto_tls,
        &proto_http,
        &proto_ftp,
        NULL,
};
