# Sample captures, a text beside each, and the script that makes them with real servers.
EXTRA_DIST += \
	pcaps/make-pcaps pcaps/world.py pcaps/protocols \
	pcaps/01-studio-to-seoul.pcap pcaps/01-studio-to-seoul.txt \
	pcaps/02-seoul-to-shenyang.pcap pcaps/02-seoul-to-shenyang.txt \
	pcaps/03-shenyang-to-pyongyang.pcap pcaps/03-shenyang-to-pyongyang.txt \
	pcaps/04-shenyang-to-pyongyang-sftp.pcap pcaps/04-shenyang-to-pyongyang-sftp.txt \
	pcaps/05-state-media.pcap pcaps/05-state-media.txt \
	pcaps/06-wrong-labels.pcap pcaps/06-wrong-labels.txt \
	pcaps/07-private-link-and-scan.pcap pcaps/07-private-link-and-scan.txt
