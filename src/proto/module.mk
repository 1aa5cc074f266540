libwaybill_a_SOURCES += \
	src/proto/aim.c \
	src/proto/bencode.c src/proto/bencode.h \
	src/proto/ber.c src/proto/ber.h \
	src/proto/bittorrent.c src/proto/bittorrent.h \
	src/proto/bittorrent_info.c \
	src/proto/bittorrent_known.c \
	src/proto/bittorrent_peer.c \
	src/proto/bittorrent_udp.c \
	src/proto/bittorrent_utp.c \
	src/proto/bulk.c src/proto/bulk.h \
	src/proto/classifier.c src/proto/classifier.h \
	src/proto/conversation.c \
	src/proto/directconnect.c \
	src/proto/directconnect_result.c src/proto/directconnect_result.h \
	src/proto/directory.c \
	src/proto/dns.c \
	src/proto/dns_message.c src/proto/dns_message.h \
	src/proto/dns_tunnel.c src/proto/dns_tunnel.h \
	src/proto/dots.c src/proto/dots.h \
	src/proto/dtls.c \
	src/proto/edonkey.c \
	src/proto/fasp.c \
	src/proto/feed.c src/proto/feed.h \
	src/proto/filecatalyst.c \
	src/proto/ftp.c src/proto/ftp.h \
	src/proto/ftp_address.c src/proto/ftp_address.h \
	src/proto/ftp_channel.c src/proto/ftp_channel.h \
	src/proto/ftp_command.c src/proto/ftp_command.h \
	src/proto/ftp_dialogue.c \
	src/proto/ftp_line.c src/proto/ftp_line.h \
	src/proto/ftp_path.c src/proto/ftp_path.h \
	src/proto/ftp_probe.c \
	src/proto/ftp_reply.c src/proto/ftp_reply.h \
	src/proto/ftp_setup.c \
	src/proto/ftps.c src/proto/ftps.h \
	src/proto/git.c \
	src/proto/gnutella.c \
	src/proto/handoff.c src/proto/handoff.h \
	src/proto/household.c \
	src/proto/http.c \
	src/proto/http2.c src/proto/http2.h \
	src/proto/http2_frame.c src/proto/http2_frame.h \
	src/proto/http2_header.c src/proto/http2_header.h \
	src/proto/http2_stream.c src/proto/http2_stream.h \
	src/proto/http_api.c src/proto/http_api.h \
	src/proto/http_auth.c src/proto/http_auth.h \
	src/proto/http_azure.c \
	src/proto/http_body.c src/proto/http_body.h \
	src/proto/http_coding.c src/proto/http_coding.h \
	src/proto/http_connection.c src/proto/http_connection.h \
	src/proto/http_empty.c src/proto/http_empty.h \
	src/proto/http_exchange.c src/proto/http_exchange.h \
	src/proto/http_head.c src/proto/http_head.h \
	src/proto/http_list.c src/proto/http_list.h \
	src/proto/http_listing.c src/proto/http_listing.h \
	src/proto/http_name.c src/proto/http_name.h \
	src/proto/http_payload.c src/proto/http_payload.h \
	src/proto/http_range.c src/proto/http_range.h \
	src/proto/http_s3.c \
	src/proto/http_upgrade.c src/proto/http_upgrade.h \
	src/proto/http_upload.c \
	src/proto/icmp.c \
	src/proto/imap.c src/proto/imap.h \
	src/proto/imap_command.c \
	src/proto/imap_fetch.c \
	src/proto/imap_item.c src/proto/imap_item.h \
	src/proto/imap_probe.c \
	src/proto/imap_stream.c src/proto/imap_stream.h \
	src/proto/imap_structure.c src/proto/imap_structure.h \
	src/proto/ipsec.c \
	src/proto/irc.c \
	src/proto/lines.c src/proto/lines.h \
	src/proto/mail.c src/proto/mail.h \
	src/proto/mail_address.c src/proto/mail_address.h \
	src/proto/mail_part.c src/proto/mail_part.h \
	src/proto/mail_text.c src/proto/mail_text.h \
	src/proto/media.c \
	src/proto/mime_decode.c src/proto/mime_decode.h \
	src/proto/mime_header.c src/proto/mime_header.h \
	src/proto/mime_multipart.c src/proto/mime_multipart.h \
	src/proto/mime_param.c \
	src/proto/msrp.c \
	src/proto/nfs.c src/proto/nfs.h \
	src/proto/nfs3.c \
	src/proto/nfs4.c src/proto/nfs4.h \
	src/proto/nfs4_xdr.c \
	src/proto/nfs_call.c \
	src/proto/nfs_file.c \
	src/proto/nfs_mount.c \
	src/proto/nfs_name.c \
	src/proto/afp.c \
	src/proto/afp.h \
	src/proto/afp_fork.c \
	src/proto/ninep.c \
	src/proto/nntp.c src/proto/nntp.h \
	src/proto/nntp_probe.c \
	src/proto/openvpn.c \
	src/proto/owed.c src/proto/owed.h \
	src/proto/perforce.c \
	src/proto/plain.c src/proto/plain.h \
	src/proto/pop3.c src/proto/pop3.h \
	src/proto/pop3_probe.c \
	src/proto/prologue.c src/proto/prologue.h \
	src/proto/proto.h \
	src/proto/protos.c \
	src/proto/proxy.c \
	src/proto/quic.c \
	src/proto/quic_google.c src/proto/quic_google.h \
	src/proto/quic_keys.c src/proto/quic_keys.h \
	src/proto/quic_moved.c src/proto/quic_moved.h \
	src/proto/quic_packet.c src/proto/quic_packet.h \
	src/proto/rdp.c \
	src/proto/resilio.c \
	src/proto/rpc.c src/proto/rpc.h \
	src/proto/rsync.c src/proto/rsync.h \
	src/proto/rsync_list.c \
	src/proto/rsync_option.c \
	src/proto/rsync_sender.c \
	src/proto/sasl.c src/proto/sasl.h \
	src/proto/screen.c \
	src/proto/sip.c \
	src/proto/smb.c src/proto/smb.h \
	src/proto/smb1.c src/proto/smb1.h \
	src/proto/smb1_file.c \
	src/proto/smb1_setup.c \
	src/proto/smb1_trans.c \
	src/proto/smb2.c src/proto/smb2.h \
	src/proto/smb2_file.c \
	src/proto/smb2_info.c \
	src/proto/smb2_setup.c \
	src/proto/smb_context.c \
	src/proto/smb_frame.c \
	src/proto/smb_handle.c src/proto/smb_handle.h \
	src/proto/smb_request.c src/proto/smb_request.h \
	src/proto/smb_status.h \
	src/proto/smb_text.c src/proto/smb_text.h \
	src/proto/smb_token.c src/proto/smb_token.h \
	src/proto/smb_transfer.c \
	src/proto/smtp.c src/proto/smtp.h \
	src/proto/smtp_dialogue.c \
	src/proto/smtp_probe.c \
	src/proto/socks.c \
	src/proto/ssh.c \
	src/proto/ssh_auth.c src/proto/ssh_auth.h \
	src/proto/ssh_cipher.c src/proto/ssh_cipher.h \
	src/proto/ssh_hello.c src/proto/ssh_hello.h \
	src/proto/ssh_kind.c src/proto/ssh_kind.h \
	src/proto/ssh_shape.c src/proto/ssh_shape.h \
	src/proto/ssh_unit.c src/proto/ssh_unit.h \
	src/proto/svn.c src/proto/svn.h \
	src/proto/svn_delta.c \
	src/proto/svn_list.c \
	src/proto/syncthing.c \
	src/proto/tftp.c \
	src/proto/tls.c \
	src/proto/tls_certificate.c src/proto/tls_certificate.h \
	src/proto/tls_cipher.c \
	src/proto/tls_fingerprint.c src/proto/tls_fingerprint.h \
	src/proto/tls_handshake.c src/proto/tls_handshake.h \
	src/proto/tls_hello.c src/proto/tls_hello.h \
	src/proto/tls_turns.c src/proto/tls_turns.h \
	src/proto/tls_pieces.c src/proto/tls_pieces.h \
	src/proto/tsunami.c \
	src/proto/tunnel.c \
	src/proto/udt.c \
	src/proto/uftp.c \
	src/proto/vnc.c \
	src/proto/websocket.c src/proto/websocket.h \
	src/proto/wireguard.c \
	src/proto/xmpp.c

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_accelerated
TESTS += tests/unit/test_accelerated
tests_unit_test_accelerated_SOURCES = tests/unit/test_accelerated.c tests/unit/proto_stage.h
tests_unit_test_accelerated_LDADD = $(unit_ldadd)
tests_unit_test_accelerated_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_aim
TESTS += tests/unit/test_aim
tests_unit_test_aim_SOURCES = tests/unit/test_aim.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_aim_LDADD = $(unit_ldadd)
tests_unit_test_aim_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_bittorrent
TESTS += tests/unit/test_bittorrent
tests_unit_test_bittorrent_SOURCES = tests/unit/test_bittorrent.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_bittorrent_LDADD = $(unit_ldadd)
tests_unit_test_bittorrent_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_conversation
TESTS += tests/unit/test_conversation
tests_unit_test_conversation_SOURCES = tests/unit/test_conversation.c tests/unit/proto_stage.h
tests_unit_test_conversation_LDADD = $(unit_ldadd)
tests_unit_test_conversation_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_directconnect
TESTS += tests/unit/test_directconnect
tests_unit_test_directconnect_SOURCES = tests/unit/test_directconnect.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_directconnect_LDADD = $(unit_ldadd)
tests_unit_test_directconnect_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_dns
TESTS += tests/unit/test_dns
tests_unit_test_dns_SOURCES = tests/unit/test_dns.c tests/unit/proto_stage.h
tests_unit_test_dns_LDADD = $(unit_ldadd)
tests_unit_test_dns_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_dtls
TESTS += tests/unit/test_dtls
tests_unit_test_dtls_SOURCES = tests/unit/test_dtls.c tests/unit/proto_stage.h tests/unit/hex.h
tests_unit_test_dtls_LDADD = $(unit_ldadd)
tests_unit_test_dtls_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_edonkey
TESTS += tests/unit/test_edonkey
tests_unit_test_edonkey_SOURCES = tests/unit/test_edonkey.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_edonkey_LDADD = $(unit_ldadd)
tests_unit_test_edonkey_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_ftp
TESTS += tests/unit/test_ftp
tests_unit_test_ftp_SOURCES = tests/unit/test_ftp.c tests/unit/proto_stage.h
tests_unit_test_ftp_LDADD = $(unit_ldadd)
tests_unit_test_ftp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_git
TESTS += tests/unit/test_git
tests_unit_test_git_SOURCES = tests/unit/test_git.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_git_LDADD = $(unit_ldadd)
tests_unit_test_git_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_gnutella
TESTS += tests/unit/test_gnutella
tests_unit_test_gnutella_SOURCES = tests/unit/test_gnutella.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_gnutella_LDADD = $(unit_ldadd)
tests_unit_test_gnutella_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_http
TESTS += tests/unit/test_http
tests_unit_test_http_SOURCES = tests/unit/test_http.c tests/unit/script.h tests/unit/recorder.c tests/unit/recorder.h
tests_unit_test_http_LDADD = $(unit_ldadd)
tests_unit_test_http_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_http2
TESTS += tests/unit/test_http2
tests_unit_test_http2_SOURCES = tests/unit/test_http2.c tests/unit/script.h tests/unit/recorder.c tests/unit/recorder.h
tests_unit_test_http2_LDADD = $(unit_ldadd)
tests_unit_test_http2_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_http_api
TESTS += tests/unit/test_http_api
tests_unit_test_http_api_SOURCES = tests/unit/test_http_api.c tests/unit/script.h tests/unit/recorder.c tests/unit/recorder.h
tests_unit_test_http_api_LDADD = $(unit_ldadd)
tests_unit_test_http_api_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_http_body
TESTS += tests/unit/test_http_body
tests_unit_test_http_body_SOURCES = tests/unit/test_http_body.c
tests_unit_test_http_body_LDADD = $(unit_ldadd)
tests_unit_test_http_body_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_http_coding
TESTS += tests/unit/test_http_coding
tests_unit_test_http_coding_SOURCES = tests/unit/test_http_coding.c
tests_unit_test_http_coding_LDADD = $(unit_ldadd)
tests_unit_test_http_coding_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_http_name
TESTS += tests/unit/test_http_name
tests_unit_test_http_name_SOURCES = tests/unit/test_http_name.c
tests_unit_test_http_name_LDADD = $(unit_ldadd)
tests_unit_test_http_name_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_imap
TESTS += tests/unit/test_imap
tests_unit_test_imap_SOURCES = tests/unit/test_imap.c tests/unit/mail_script.h tests/unit/proto_stage.h
tests_unit_test_imap_LDADD = $(unit_ldadd)
tests_unit_test_imap_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_irc
TESTS += tests/unit/test_irc
tests_unit_test_irc_SOURCES = tests/unit/test_irc.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_irc_LDADD = $(unit_ldadd)
tests_unit_test_irc_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_mime
TESTS += tests/unit/test_mime
tests_unit_test_mime_SOURCES = tests/unit/test_mime.c
tests_unit_test_mime_LDADD = $(unit_ldadd)
tests_unit_test_mime_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_msrp
TESTS += tests/unit/test_msrp
tests_unit_test_msrp_SOURCES = tests/unit/test_msrp.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_msrp_LDADD = $(unit_ldadd)
tests_unit_test_msrp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_nfs
TESTS += tests/unit/test_nfs
tests_unit_test_nfs_SOURCES = tests/unit/test_nfs.c tests/unit/proto_stage.h
tests_unit_test_nfs_LDADD = $(unit_ldadd)
tests_unit_test_nfs_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_afp
TESTS += tests/unit/test_afp
tests_unit_test_afp_SOURCES = tests/unit/test_afp.c tests/unit/proto_stage.h
tests_unit_test_afp_LDADD = $(unit_ldadd)
tests_unit_test_afp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_ninep
TESTS += tests/unit/test_ninep
tests_unit_test_ninep_SOURCES = tests/unit/test_ninep.c tests/unit/proto_stage.h
tests_unit_test_ninep_LDADD = $(unit_ldadd)
tests_unit_test_ninep_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_nntp
TESTS += tests/unit/test_nntp
tests_unit_test_nntp_SOURCES = tests/unit/test_nntp.c tests/unit/mail_script.h tests/unit/proto_stage.h
tests_unit_test_nntp_LDADD = $(unit_ldadd)
tests_unit_test_nntp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_perforce
TESTS += tests/unit/test_perforce
tests_unit_test_perforce_SOURCES = tests/unit/test_perforce.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_perforce_LDADD = $(unit_ldadd)
tests_unit_test_perforce_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_plain
TESTS += tests/unit/test_plain
tests_unit_test_plain_SOURCES = tests/unit/test_plain.c tests/unit/proto_stage.h tests/unit/hex.h
tests_unit_test_plain_LDADD = $(unit_ldadd)
tests_unit_test_plain_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_pop3
TESTS += tests/unit/test_pop3
tests_unit_test_pop3_SOURCES = tests/unit/test_pop3.c tests/unit/mail_script.h tests/unit/proto_stage.h
tests_unit_test_pop3_LDADD = $(unit_ldadd)
tests_unit_test_pop3_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_quic
TESTS += tests/unit/test_quic
tests_unit_test_quic_SOURCES = tests/unit/test_quic.c tests/unit/proto_stage.h tests/unit/hex.h tests/unit/quic_packets.h
tests_unit_test_quic_LDADD = $(unit_ldadd)
tests_unit_test_quic_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_rsync
TESTS += tests/unit/test_rsync
tests_unit_test_rsync_SOURCES = tests/unit/test_rsync.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_rsync_LDADD = $(unit_ldadd)
tests_unit_test_rsync_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_screen
TESTS += tests/unit/test_screen
tests_unit_test_screen_SOURCES = tests/unit/test_screen.c tests/unit/proto_stage.h tests/unit/hex.h
tests_unit_test_screen_LDADD = $(unit_ldadd)
tests_unit_test_screen_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_smb
TESTS += tests/unit/test_smb
tests_unit_test_smb_SOURCES = tests/unit/test_smb.c tests/unit/smb_script.h
tests_unit_test_smb_LDADD = $(unit_ldadd)
tests_unit_test_smb_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_smtp
TESTS += tests/unit/test_smtp
tests_unit_test_smtp_SOURCES = tests/unit/test_smtp.c tests/unit/mail_script.h tests/unit/proto_stage.h
tests_unit_test_smtp_LDADD = $(unit_ldadd)
tests_unit_test_smtp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_ssh
TESTS += tests/unit/test_ssh
tests_unit_test_ssh_SOURCES = tests/unit/test_ssh.c tests/unit/proto_stage.h
tests_unit_test_ssh_LDADD = $(unit_ldadd)
tests_unit_test_ssh_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_svn
TESTS += tests/unit/test_svn
tests_unit_test_svn_SOURCES = tests/unit/test_svn.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_svn_LDADD = $(unit_ldadd)
tests_unit_test_svn_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_tftp
TESTS += tests/unit/test_tftp
tests_unit_test_tftp_SOURCES = tests/unit/test_tftp.c tests/unit/proto_stage.h
tests_unit_test_tftp_LDADD = $(unit_ldadd)
tests_unit_test_tftp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_tls
TESTS += tests/unit/test_tls
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c tests/unit/proto_stage.h
tests_unit_test_tls_LDADD = $(unit_ldadd)
tests_unit_test_tls_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_xmpp
TESTS += tests/unit/test_xmpp
tests_unit_test_xmpp_SOURCES = tests/unit/test_xmpp.c tests/unit/proto_stage.h tests/unit/talk.h
tests_unit_test_xmpp_LDADD = $(unit_ldadd)
tests_unit_test_xmpp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

EXTRA_DIST += \
	tests/fuzz/corpus/9p \
	tests/fuzz/corpus/afp \
	tests/fuzz/corpus/aim \
	tests/fuzz/corpus/bittorrent \
	tests/fuzz/corpus/directconnect \
	tests/fuzz/corpus/edonkey \
	tests/fuzz/corpus/ftp \
	tests/fuzz/corpus/git \
	tests/fuzz/corpus/gnutella \
	tests/fuzz/corpus/http \
	tests/fuzz/corpus/http2 \
	tests/fuzz/corpus/imap \
	tests/fuzz/corpus/irc \
	tests/fuzz/corpus/mime \
	tests/fuzz/corpus/msrp \
	tests/fuzz/corpus/nfs \
	tests/fuzz/corpus/nntp \
	tests/fuzz/corpus/perforce \
	tests/fuzz/corpus/pop3 \
	tests/fuzz/corpus/rsync \
	tests/fuzz/corpus/smb \
	tests/fuzz/corpus/smtp \
	tests/fuzz/corpus/ssh \
	tests/fuzz/corpus/svn \
	tests/fuzz/corpus/tftp \
	tests/fuzz/corpus/tls \
	tests/fuzz/corpus/xmpp
if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_http tests/fuzz/fuzz_mime
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c tests/unit/recorder.c tests/unit/recorder.h
tests_fuzz_fuzz_http_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_mime_SOURCES = tests/fuzz/fuzz_mime.c
tests_fuzz_fuzz_mime_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_mime_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_proto
tests_fuzz_fuzz_proto_SOURCES = tests/fuzz/fuzz_proto.c tests/fuzz/proto_fuzz.h tests/fuzz/quic_seal.h
tests_fuzz_fuzz_proto_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_proto_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
