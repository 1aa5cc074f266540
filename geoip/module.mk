# geoip
