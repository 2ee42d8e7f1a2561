"""Showing a finished clip: how long until the bundle is there, and how much longer it is than it must be."""

from line import median_line

NBYTES = 8_000_000
WAYS = ("ours", "IPython.display.Video", "mediapy")


def rounds_of(bench, ways=WAYS):
    film, picture = bench.film(NBYTES), bench.picture()
    return [
        {way: bench.run("show.py", way, film, picture, bench.new_folder()) for way in ways} for _ in range(bench.rounds)
    ]


def measure(bench):
    rounds = rounds_of(bench)
    took = [{way: r[way]["seconds"] for way in WAYS} for r in rounds]
    yield median_line(
        "show", "8 MB clip (ours with 4 references and stills) to a MIME bundle, first time", "s", took, at_most=0.3
    )
    floor = -(-NBYTES // 3) * 4
    sizes = [{way: r[way]["nbytes"] / floor for way in WAYS} for r in rounds]
    yield median_line("show", "bytes of the bundle, in base64 floors", "", sizes, at_most=1.03)
