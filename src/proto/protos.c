/* All protocols, the most specific first. */
#include "config.h"

#include "proto/proto.h"

const struct proto *const protos[] = {
        &proto_ssh,
        &proto_udt,
        &proto_uftp,
        &proto_tls,
        &proto_http2,
        &proto_http,
        &proto_smtp,
        &proto_pop3,
        &proto_imap,
        &proto_nntp,
        &proto_websocket,
        &proto_ftp,
        &proto_quic,
        &proto_dtls,
        &proto_wireguard,
        &proto_tailscale,
        &proto_openvpn,
        &proto_ike,
        &proto_l2tp,
        &proto_stun,
        &proto_nbns,
        &proto_nbdgm,
        &proto_dhcp,
        &proto_dhcpv6,
        &proto_snmp,
        &proto_syslog,
        &proto_ssdp,
        &proto_cldap,
        &proto_kerberos_udp,
        &proto_dropbox_lan,
        &proto_ntp,
        &proto_rip,
        &proto_rdp_udp,
        &proto_mdns,
        &proto_llmnr,
        &proto_dns,
        &proto_dns_tcp,
        &proto_smb,
        &proto_nfs,
        &proto_nfs_udp,
        &proto_tftp,
        &proto_ninep,
        &proto_rsync,
        &proto_perforce,
        &proto_xmpp,
        &proto_msrp,
        &proto_sip_udp,
        &proto_sip,
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
        &proto_proxy,
        &proto_socks,
        &proto_rdp,
        &proto_vnc,
        &proto_x11,
        &proto_ica,
        &proto_spice,
        &proto_teamviewer,
        &proto_telnet,
        &proto_ldap,
        &proto_kerberos,
        &proto_mysql,
        &proto_pgsql,
        &proto_pptp,
        &proto_openvpn_tcp,
        &proto_stun_tcp,
        &proto_rtcp,
        &proto_esp_udp,
        &proto_rtp,
        &proto_esp,
        &proto_icmp,
        &proto_icmpv6,
        &proto_tsunami,
        &proto_fasp,
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
