"""How well references were followed, as numbers: arrays in, a core report out.

Works with no key and no network. What it needs beyond the package's own
dependencies is the extra ``refvideo-nb[adherence]``; only this room imports it.
"""
