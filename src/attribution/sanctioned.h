/* geoip/sanctioned.csv and services.csv as text, so that neither needs a file; made at build time. */
#ifndef WAYBILL_ATTRIBUTION_SANCTIONED_H
#define WAYBILL_ATTRIBUTION_SANCTIONED_H

extern const char sanctioned_csv[];
extern const char services_csv[];

#endif
