dist_man_MANS += doc/waybill.1
