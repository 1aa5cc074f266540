/* All protocols, the most specific first. */
#include "config.h"

#include "proto/proto.h"

const struct proto *const protos[] = {
        &proto_ssh,
        &proto_tls,
        &proto_http,
        &proto_ftp,
        &proto_mdns,
        &proto_llmnr,
        &proto_dns,
        &proto_dns_tcp,
        &proto_smb,
        &proto_nfs,
        &proto_nfs_udp,
        &proto_tftp,
        &proto_rsync,
        &proto_directconnect,
        &proto_edonkey,
        &proto_gnutella,
        &proto_syncthing,
        &proto_bittorrent_udp,
        &proto_bittorrent,
        &proto_aim,
        &proto_irc,
        &proto_svn,
        &proto_git,
        NULL,
};

unsigned
proto_number(const char *name)
{
	for (unsigned i = 0; protos[i] != NULL; i++)
		if (protos[i]->name == name)
			return i + 1;
	return 0;
}

const char *
proto_name(unsigned number)
{
	return number > 0 ? protos[number - 1]->name : NULL;
}
