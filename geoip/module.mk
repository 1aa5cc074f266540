# The lists and the database that waybill brings along.
dist_pkgdata_DATA = geoip/sanctioned.csv geoip/services.csv geoip/LICENCES.md
EXTRA_DIST += geoip/build-geoip

# Made from Debian's data packages where they are installed; without them waybill has no
# database of its own and says so. Made again only when the data or the script changes.
noinst_DATA = geoip/waybill.mmdb
CLEANFILES += geoip/waybill.mmdb geoip/waybill.mmdb.new
geoip/waybill.mmdb: $(top_srcdir)/geoip/build-geoip $(wildcard $(GEOIP_LIBLOC) $(GEOIP_TOR)/geoip $(GEOIP_TOR)/geoip6)
	$(AM_V_GEN)$(MKDIR_P) geoip && \
	if test "$(PERL)" = :; then echo "no perl: waybill is built without a database of its own"; \
	else $(PERL) $(top_srcdir)/geoip/build-geoip --libloc $(GEOIP_LIBLOC) --tor $(GEOIP_TOR) $@; fi

install-data-hook:
	if test -f geoip/waybill.mmdb; then \
		$(INSTALL_DATA) geoip/waybill.mmdb "$(DESTDIR)$(pkgdatadir)/waybill.mmdb"; fi
uninstall-hook:
	rm -f "$(DESTDIR)$(pkgdatadir)/waybill.mmdb"
