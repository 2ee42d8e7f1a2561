"""The compare player: references and videos side by side on one clock, live in a notebook or in a file of its own."""
