"""The notebook: magic, live line, job handles, and the session that puts the rooms together.

The only room that imports IPython or ipywidgets, and only where it needs them:
the Python API works in a plain script too.
"""
