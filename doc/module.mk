dist_man_MANS += doc/waybill.1 doc/waybill.yaml.5
dist_doc_DATA = doc/events.md doc/performance.md doc/waybill-event.schema.json doc/waybill.yaml
