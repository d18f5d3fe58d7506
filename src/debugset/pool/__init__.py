"""Collecting a pool of weakly labelled photos: found by searches or delivered, fetched, checked and packed.

Each part imports those before it alone: what photos, hosts and faults are called (`fault, hosts, names, sizes,
text_search`); `spool` and `windows`; `limits, progress, rights, status`; `params` and `source`; `files`; `deliveries`,
`flickr` and `pack`; `scrape` and `simulator`; `endpoint`, which alone knows every source.
"""
