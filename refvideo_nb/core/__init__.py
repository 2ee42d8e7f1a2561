"""Values and rules: what a request, a model, a price and a job are.

No I/O and no clock here: everything is decided from its arguments, so that every
rule can be tested without a network, a disk or a wait.
"""
