"""Where films are made: a scene from the prompt, the references' subjects moving through it, and the truth of it.

Loaded when the first film is due, since numpy, Pillow and PyAV are most of what a start would cost.
"""
