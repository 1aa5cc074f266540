dist_man_MANS += doc/waybill.1
dist_doc_DATA = doc/events.md doc/waybill-event.schema.json
