/* geoip/sanctioned.csv as text, so that the North Korea rule needs no file; made at build time. */
#ifndef WAYBILL_ATTRIBUTION_SANCTIONED_H
#define WAYBILL_ATTRIBUTION_SANCTIONED_H

extern const char sanctioned_csv[];

#endif
