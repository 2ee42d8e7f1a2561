"""From a person's words to a finished file: drafting, submitting once, watching, fetching.

One private thread with one event loop does all the waiting, so that the kernel
stays free. Nothing here prints.
"""
