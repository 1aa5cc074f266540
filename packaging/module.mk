# What stands around the program on a system: the service, its user and folders, completions. Debian's package is made by
# packaging/build-deb, and is no part of make.
systemdunitdir = $(SYSTEMD_UNIT_DIR)
nodist_systemdunit_DATA = packaging/waybill.service
sysusersdir = $(prefix)/lib/sysusers.d
nodist_sysusers_DATA = packaging/sysusers/waybill.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
nodist_tmpfiles_DATA = packaging/tmpfiles/waybill.conf
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = packaging/completion/waybill
zshcompletiondir = $(ZSH_COMPLETION_DIR)
dist_zshcompletion_DATA = packaging/completion/_waybill

CLEANFILES += $(nodist_systemdunit_DATA) $(nodist_sysusers_DATA) $(nodist_tmpfiles_DATA)
EXTRA_DIST += \
	packaging/README.md packaging/build-deb packaging/test-deb packaging/test-vm packaging/test-vm-guest packaging/debian \
	packaging/systemd packaging/waybill.yaml packaging/waybill.default packaging/waybill.logrotate

packaging/waybill.service: $(top_srcdir)/packaging/systemd/waybill.service Makefile
	$(AM_V_GEN)$(MKDIR_P) packaging && sed 's,/usr/bin/waybill,$(bindir)/waybill,' $(top_srcdir)/packaging/systemd/waybill.service > $@
packaging/sysusers/waybill.conf: $(top_srcdir)/packaging/systemd/sysusers.conf
	$(AM_V_GEN)$(MKDIR_P) packaging/sysusers && cp $(top_srcdir)/packaging/systemd/sysusers.conf $@
packaging/tmpfiles/waybill.conf: $(top_srcdir)/packaging/systemd/tmpfiles.conf
	$(AM_V_GEN)$(MKDIR_P) packaging/tmpfiles && cp $(top_srcdir)/packaging/systemd/tmpfiles.conf $@

dist_check_SCRIPTS += tests/install/completion tests/install/service tests/install/files
TESTS += tests/install/completion tests/install/service tests/install/files
