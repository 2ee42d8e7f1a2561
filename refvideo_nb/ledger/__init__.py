"""The memory: every job, before anything is paid for it, and every file.

The only room that speaks SQL. It keeps no key and no signed address.
"""
